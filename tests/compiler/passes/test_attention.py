"""Attention is found wherever its scale and mask stand, gives the same numbers, and lookalikes are left alone."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import assume, given
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.attention import recognise_attention, take_before_transpose

pytestmark = pytest.mark.mlx


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def agree(program, after, *inputs):
    arrays = [mx.array(x) for x in inputs]
    (wanted,), (given_,) = build(program)(*arrays), build(after)(*arrays)
    np.testing.assert_allclose(np.array(given_), np.array(wanted), rtol=1e-4, atol=1e-5)


SCALES = {
    "none": lambda x: x,
    "product": lambda x: mb.mul(x=x, y=np.float32(0.3)),
    "product, number first": lambda x: mb.mul(x=np.float32(0.3), y=x),
    "quotient": lambda x: mb.real_div(x=x, y=np.float32(2.5)),
}
MASKS = {
    "none": None,
    "all": lambda b, h, n, m: numbers(b, h, n, m),
    "a head": lambda b, h, n, m: numbers(1, h, n, m),
    "a head, for all images": lambda b, h, n, m: numbers(h, n, m),
    "two axes": lambda b, h, n, m: numbers(n, m),
    "a row": lambda b, h, n, m: numbers(m),
}


@given(
    where=st.lists(st.sampled_from(sorted(SCALES)), min_size=3, max_size=3),
    mask=st.sampled_from(sorted(MASKS)),
    turned=st.tuples(st.booleans(), st.booleans()),
    sizes=st.tuples(*[st.integers(1, 5)] * 6),
    heads=st.booleans(),
)
def test_attention_becomes_one_operation(program_of, where, mask, turned, sizes, heads):
    b, h, n, m, d, e = sizes
    before = (b, h) if heads else (b,)
    at_query, at_key, at_scores = (SCALES[name] for name in where)
    made = MASKS[mask](b, h, n, m) if MASKS[mask] else None
    if made is not None and made.ndim > len(before) + 2:
        made = made[:, 0]
    elif made is not None and made.ndim > 2 and not heads:
        made = made[:1]
    key_turned, value_turned = turned
    q = numbers(*before, n, d)
    k = numbers(*before, *((d, m) if key_turned else (m, d)), seed=1)
    v = numbers(*before, *((e, m) if value_turned else (m, e)), seed=2)

    def body(q, k, v):
        scores = at_scores(mb.matmul(x=at_query(q), y=at_key(k), transpose_y=not key_turned))
        scores = scores if made is None else mb.add(x=scores, y=made)
        return mb.matmul(x=mb.softmax(x=scores, axis=-1), y=v, transpose_y=value_turned)

    program = program_of(body, q, k, v)
    after = recognise_attention(program)
    kinds = [operation.kind for operation in after.operations]
    assert kinds == ["transpose"] * (key_turned + value_turned) + ["attention"]
    agree(program, after, q, k, v)


def attention(q, k, v, axis=-1, after_scores=lambda s: s, weights=lambda w: w):
    scores = after_scores(mb.matmul(x=q, y=k, transpose_y=True))
    return mb.matmul(x=weights(mb.softmax(x=scores, axis=axis)), y=v)


LOOKALIKES = {
    "softmax along the other axis": lambda q, k, v: attention(q, k, v, axis=-2),
    "scores cut off": lambda q, k, v: attention(q, k, v, after_scores=lambda s: mb.relu(x=s)),
    "weights cut off": lambda q, k, v: attention(q, k, v, weights=lambda w: mb.clip(x=w, alpha=0.1, beta=0.9)),
    "a mask on both sides of the scale": lambda q, k, v: attention(
        q, k, v, after_scores=lambda s: mb.mul(x=mb.add(x=s, y=numbers(4, 4)), y=np.float32(0.5))
    ),
    "a mask that widens the scores": lambda q, k, v: attention(
        mb.slice_by_index(x=q, begin=[0, 0, 0, 0], end=[1, 2, 4, 3]),
        mb.slice_by_index(x=k, begin=[0, 0, 0, 0], end=[1, 2, 4, 3]),
        v,
        after_scores=lambda s: mb.add(x=s, y=numbers(2, 1, 4, 4)),
    ),
    "weights that are an output too": lambda q, k, v: (
        lambda w: mb.add(x=mb.matmul(x=w, y=v), y=mb.reduce_max(x=w, axes=[-1], keep_dims=True))
    )(mb.softmax(x=mb.matmul(x=q, y=k, transpose_y=True), axis=-1)),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_are_left_alone(program_of, name):
    inputs = [numbers(2, 2, 4, 3, seed=i) for i in range(3)]
    program = program_of(LOOKALIKES[name], *inputs)
    after = recognise_attention(program)
    assert "attention" not in [operation.kind for operation in after.operations]
    agree(program, after, *inputs)


def test_a_scaled_query_that_is_read_elsewhere_keeps_its_scale(program_of):
    def body(q, k, v):
        scaled = mb.mul(x=q, y=np.float32(0.5))
        return mb.add(x=attention(scaled, k, v), y=scaled)

    inputs = [numbers(2, 2, 4, 4, seed=i) for i in range(3)]
    program = program_of(body, *inputs)
    after = recognise_attention(program)
    assert [operation.kind for operation in after.operations] == ["mul", "attention", "add"]
    agree(program, after, *inputs)


@given(perm=st.permutations(range(4)), axis=st.integers(0, 3), by_index=st.booleans())
def test_a_part_of_a_transpose_is_the_transpose_of_a_part(program_of, perm, axis, by_index):
    assume(list(perm) != [0, 1, 2, 3])
    x = numbers(3, 3, 3, 3)

    def body(x):
        turned = mb.transpose(x=x, perm=perm)
        if by_index:
            masks = [i == axis for i in range(4)]
            begin, end = [2 * one for one in masks], [3] * 4
            first = mb.slice_by_index(x=turned, begin=begin, end=end, squeeze_mask=masks)
            second = mb.slice_by_index(x=turned, begin=[0] * 4, end=end, squeeze_mask=masks)
        else:
            parts = mb.split(x=turned, split_sizes=[1, 1, 1], axis=axis)
            first, second = (mb.squeeze(x=parts[i], axes=[axis]) for i in (2, 0))
        return mb.sub(x=first, y=second)

    program = program_of(body, x)
    after = take_before_transpose(program)
    kinds = [operation.kind for operation in after.operations]
    assert kinds == ["slice_by_index", "transpose"] * 2 + ["sub"]
    agree(program, after, x)


def test_an_open_beginning_means_the_first_part_whatever_number_stands_there(program_of):
    def body(x):
        first, whole = [True, False, False], [False, True, True]
        turned = mb.transpose(x=x, perm=[1, 0, 2])
        begin, end = [2, 0, 0], [3, 2, 4]
        return mb.slice_by_index(
            x=turned, begin=begin, end=end, begin_mask=[True] * 3, end_mask=whole, squeeze_mask=first
        )

    x = numbers(2, 3, 4)
    program = program_of(body, x)
    agree(program, take_before_transpose(program), x)


def test_parts_of_which_one_is_read_twice_stay_where_they_are(program_of):
    def body(x):
        a, b = mb.split(x=mb.transpose(x=x, perm=[1, 0]), split_sizes=[1, 1], axis=0)
        return mb.add(x=mb.squeeze(x=a, axes=[0]), y=mb.reduce_sum(x=mb.mul(x=a, y=b)))

    x = numbers(3, 2)
    program = program_of(body, x)
    agree(program, take_before_transpose(program), x)

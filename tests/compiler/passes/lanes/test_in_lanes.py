"""A program in lanes gives what it gives whole, whatever the sizes; every part has the shape that it was given."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.compiler.passes.cpu_functions import route_functions
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.lanes import in_lanes as lanes
from app.compiler.passes.lanes import rules as lane_rules
from app.compiler.passes.lanes import shares as lane_shares
from app.compiler.passes.lanes.in_lanes import in_lanes

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.fixture(autouse=True)
def cut_everything(monkeypatch):
    monkeypatch.setattr(lane_shares, "SMALLEST", 1)
    for module in (lanes, lane_rules):
        monkeypatch.setattr(module, "LARGEST", 200)


@pytest.fixture
def compare(program_of, run_program):
    def run(body, *inputs, count=2):
        program = route_convolutions(route_functions(program_of(body, *inputs)))
        shared = in_lanes(program, count)
        for given_, wanted in zip(run_program(shared, *inputs), run_program(program, *inputs), strict=True):
            np.testing.assert_allclose(given_, wanted, atol=2e-4, rtol=2e-4)
        return shared.operations

    return run


def convolution(x, channels, kernel=1, stride=1, groups=1, pad=None):
    weight = normal(channels, x.shape[1] // groups, kernel, kernel) / (kernel * (x.shape[1] / groups) ** 0.5)
    pads = [kernel // 2] * 4 if pad is None else pad
    return mb.conv(
        x=x, weight=weight, bias=normal(channels), strides=[stride] * 2, pad_type="custom", pad=pads, groups=groups
    )


SIZES = {"size": st.integers(7, 19), "stride": st.integers(1, 2), "kernel": st.sampled_from([1, 3, 5, 7])}
SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(**SIZES, count=st.integers(2, 4), batch=st.integers(1, 5))
def test_dense_convolutions_share_rows_or_images(compare, size, stride, kernel, count, batch):
    def body(x):
        y = mb.relu(x=convolution(x, 8, kernel, stride, pad=[0, kernel - 1, kernel // 2, 0]))
        y = mb.max_pool(x=y, kernel_sizes=[3, 3], strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 1])
        z = convolution(mb.relu(x=convolution(y, 4)), 8, 3)
        return mb.reduce_mean(x=mb.add(x=y, y=z), axes=[2, 3], keep_dims=False)

    operations = compare(body, normal(batch, 3, size, size + 3), count=count)
    assert {operation.lane for operation in operations} == set(range(count))


@SETTINGS
@given(**SIZES, count=st.integers(2, 4), squeezed=st.booleans())
def test_an_inverted_residual_shares_channels(compare, size, stride, kernel, count, squeezed):
    def body(x):
        y = mb.relu6(x=convolution(x, 24))
        y = mb.relu6(x=convolution(y, 24, kernel, stride, groups=24))
        if squeezed:
            s = mb.relu(x=convolution(mb.reduce_mean(x=y, axes=[2, 3], keep_dims=True), 6))
            y = mb.mul(x=y, y=mb.sigmoid(x=convolution(s, 24)))
        y = convolution(y, 8)
        return mb.add(x=y, y=x) if stride == 1 else y

    operations = compare(body, normal(1, 8, size, size), count=count)
    depthwise = [operation for operation in operations if operation.kind == "banded_conv"]
    assert all(operation.outputs[0].shape[1] < 24 for operation in depthwise)
    assert any(operation.kind == "sum_of_convs" for operation in operations)


@SETTINGS
@given(inside=st.integers(9, 40), count=st.integers(2, 4), batch=st.integers(1, 3))
def test_a_head_of_two_axes_shares_hidden_channels(compare, inside, count, batch):
    """Its channels stand on axis 1 like those of a convolution, but it is none."""

    def body(x):
        y = mb.relu(x=mb.linear(x=x, weight=normal(64, inside), bias=normal(64)))
        return mb.linear(x=y, weight=normal(5, 64) / 8, bias=normal(5))

    operations = compare(body, normal(batch, inside), count=count)
    assert any(operation.kind == "sum_of_linears" for operation in operations)


@SETTINGS
@given(tokens=st.integers(4, 21), count=st.integers(2, 4), batch=st.integers(1, 3), wide=st.booleans())
def test_a_transformer_shares_tokens_and_hidden_channels(compare, tokens, count, batch, wide):
    heads, depth = 2, 4
    width = heads * depth

    def body(x):
        y = mb.layer_norm(x=x, axes=[-1], gamma=normal(width), beta=normal(width))
        y = mb.linear(x=y, weight=normal(3 * width, width), bias=normal(3 * width))
        y = mb.transpose(x=mb.reshape(x=y, shape=[batch, tokens, 3, heads, depth]), perm=[2, 0, 3, 1, 4])
        q, k, v = (mb.squeeze(x=one, axes=[0]) for one in mb.split(x=y, num_splits=3, axis=0))
        scores = mb.softmax(x=mb.matmul(x=mb.mul(x=q, y=0.5), y=k, transpose_y=True), axis=-1)
        y = mb.transpose(x=mb.matmul(x=scores, y=v), perm=[0, 2, 1, 3])
        x = mb.add(x=x, y=mb.linear(x=mb.reshape(x=y, shape=[batch, tokens, width]), weight=normal(width, width)))
        hidden = 160 if wide else 16
        y = mb.gelu(x=mb.linear(x=x, weight=normal(hidden, width) / 4, bias=normal(hidden)), mode="EXACT")
        x = mb.add(x=x, y=mb.linear(x=y, weight=normal(width, hidden) / 9, bias=normal(width)))
        return mb.slice_by_index(x=x, begin=[0, 0, 0], end=[0, 1, 0], end_mask=[True, False, True])

    operations = compare(body, normal(batch, tokens, width), count=count)
    assert any(operation.kind == "sum_of_linears" for operation in operations) or not wide


@SETTINGS
@given(size=st.sampled_from([6, 8, 12]), count=st.integers(2, 3))
def test_windows_and_channels_last(compare, size, count):
    def body(x):
        y = mb.transpose(x=convolution(x, 6, 7, groups=6), perm=[0, 2, 3, 1])
        y = mb.gelu(x=mb.linear(x=mb.layer_norm(x=y, axes=[-1]), weight=normal(12, 6)), mode="EXACT")
        y = mb.linear(x=y, weight=normal(6, 12))
        z = mb.transpose(x=mb.reshape(x=y, shape=[size // 2, 2, size // 2, 2, 6]), perm=[0, 2, 1, 3, 4])
        z = mb.softmax(x=mb.reshape(x=z, shape=[size * size // 4, 4, 6]), axis=-1)
        z = mb.reshape(x=z, shape=[1, size, size, 6])
        return mb.add(x=x, y=mb.transpose(x=mb.add(x=y, y=z), perm=[0, 3, 1, 2]))

    compare(body, normal(1, 6, size, size), count=count)


WHOLE_NUMBERS = RNG.integers(0, 9, (1, 7, 6)).astype(np.int32)
PROGRAMS = {
    "a matrix for each head": (lambda x: mb.matmul(x=x, y=normal(4, 5, 3)), normal(1, 4, 6, 5)),
    "heads of one image": (lambda x: mb.matmul(x=x, y=mb.squeeze(x=mb.sin(x=x), axes=[0])), normal(1, 4, 6, 6)),
    "rows without a batch": (
        lambda x: mb.linear(x=mb.relu(x=mb.linear(x=x, weight=normal(8, 4))), weight=normal(4, 8)),
        normal(4, 4),
    ),
    "a mean of whole numbers": (lambda x: mb.reduce_mean(x=mb.mul(x=x, y=np.int32(3)), axes=[1]), WHOLE_NUMBERS),
    "pieces of one element": (
        lambda x: mb.concat(values=mb.split(x=mb.sin(x=x), num_splits=2, axis=2), axis=1),
        normal(1, 4, 40, 6),
    ),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_any_rank_and_type_gives_what_it_gives_whole(compare, name, count):
    compare(*PROGRAMS[name], count=count)


def test_one_lane_is_the_program_itself(program_of):
    program = program_of(lambda x: mb.relu(x=x), normal(2, 9))
    assert in_lanes(program, 1) is program

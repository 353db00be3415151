"""The kernels for NVIDIA GPUs give what MLX's own operations give, at any size."""

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.cuda.arithmetic import ACTIVATIONS
from app.compiler.cuda.launch import is_there
from app.compiler.ops import fused

pytestmark = [pytest.mark.mlx, pytest.mark.skipif(not is_there(), reason="MLX has no NVIDIA GPU here")]

TYPES = st.sampled_from([mx.float16, mx.float32, mx.bfloat16])
TOLERANCE = {mx.float16: 3e-3, mx.float32: 2e-3, mx.bfloat16: 2e-2}
"""Relative, of the whole result: half precision rounds once, float32 goes through tf32."""


@pytest.fixture(autouse=True)
def on_the_gpu():
    before = mx.default_device()
    mx.set_default_device(mx.gpu)
    yield
    mx.set_default_device(before)


def values(*shape, dtype, seed=0):
    return mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32)).astype(dtype)


def same(operation, dtype):
    """What the kernel gives against what the operations of MLX give."""
    found = np.array(operation().astype(mx.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "is_there", lambda: False)
        wanted = np.array(operation().astype(mx.float32))
    assert found.shape == wanted.shape
    assert np.linalg.norm(found - wanted) <= TOLERANCE[dtype] * max(np.linalg.norm(wanted), 1e-3)


@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(5, 20), st.integers(5, 20), st.integers(1, 70), st.integers(1, 140)),
    kernel=st.sampled_from([1, 2, 3, 5]),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    extras=st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, False, True])),
    activation=st.sampled_from(ACTIVATIONS),
    dtype=TYPES,
)
def test_convolution(sizes, kernel, stride, dilation, extras, activation, dtype):
    images, height, width, inner, outer = sizes
    pad = kernel // 2 * dilation
    x = values(images, height, width, inner, dtype=dtype)
    weight = values(outer, kernel, kernel, inner, dtype=dtype, seed=1) * 0.1
    reach = (kernel - 1) * dilation + 1
    out = [(n + 2 * pad - reach) // stride + 1 for n in (height, width)]
    given_ = {"activation": activation, "alpha": 0.2, "beta": 0.7}
    if extras[0]:
        given_["bias"] = tuple(np.linspace(-1, 1, outer))
    if extras[1]:
        given_["factor"] = tuple(np.linspace(0.5, 2, outer))
    if extras[2] is not None:
        given_["residual"] = values(images, *out, outer, dtype=dtype, seed=2)
        given_["residual_first"] = extras[2]
    steps = {"strides": (stride,) * 2, "pad": (pad,) * 4, "dilations": (dilation,) * 2}
    same(lambda: fused.fused_conv(x, weight=weight, **steps, **given_), dtype)


@given(rows=st.integers(1, 300), inner=st.integers(1, 600), outer=st.integers(1, 300), dtype=TYPES)
def test_linear(rows, inner, outer, dtype):
    x, weight = values(rows, inner, dtype=dtype), values(outer, inner, dtype=dtype, seed=1) * 0.1
    same(lambda: fused.fused_linear(x, weight=weight, bias=tuple(np.linspace(-1, 1, outer))), dtype)


@given(
    sizes=st.tuples(st.integers(1, 40), st.integers(7, 60), st.integers(7, 60), st.integers(1, 12)),
    kernel=st.sampled_from([3, 5, 7]),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    dtype=TYPES,
)
def test_depthwise(sizes, kernel, stride, dilation, dtype):
    images, height, width, vectors = sizes
    channels, pad = vectors * 8, kernel // 2 * dilation
    x, weight = (
        values(images, height, width, channels, dtype=dtype),
        values(kernel, kernel, channels, dtype=dtype, seed=1),
    )
    steps = {"strides": (stride,) * 2, "pad": (pad,) * 4, "dilations": (dilation,) * 2}
    same(lambda: fused.fused_depthwise(x, weight=weight, bias=(0.5,) * channels, activation="relu", **steps), dtype)


@given(sizes=st.tuples(st.integers(1, 5), st.integers(1, 60), st.integers(1, 60), st.integers(1, 40)), dtype=TYPES)
def test_mean(sizes, dtype):
    x = values(*sizes[:3], sizes[3] * 8, dtype=dtype)
    same(lambda: fused.fused_mean(x, keep_dims=True), dtype)

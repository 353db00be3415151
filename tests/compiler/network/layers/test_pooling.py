"""Pooling layers against windows looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx

SIZES = st.tuples(st.integers(3, 8), st.integers(3, 8))
KERNELS = st.tuples(st.integers(1, 3), st.integers(1, 3))
KINDS = st.sampled_from(["MAX", "AVERAGE", "L2"])


def pooled(x, kind, kernel, stride, edges, exclude, out=None, limit=None):
    """Each output is made of the pixels of its window; border pixels count in a mean unless `exclude`.

    `out` is the number of windows, `limit` where the padded image ends for them.
    """
    height, width = x.shape[2:]
    padded = [n + sum(edge) for n, edge in zip((height, width), edges, strict=True)]
    out = out or [(n - k) // s + 1 for n, k, s in zip(padded, kernel, stride, strict=True)]
    limit = limit or padded
    y = np.zeros((*x.shape[:2], *out))
    for i in range(out[0]):
        for j in range(out[1]):
            top, left = i * stride[0] - edges[0][0], j * stride[1] - edges[1][0]
            rows = slice(max(top, 0), min(top + kernel[0], height))
            columns = slice(max(left, 0), min(left + kernel[1], width))
            window = x[:, :, rows, columns].reshape(*x.shape[:2], -1)
            area = (min(top + kernel[0], limit[0] - edges[0][0]) - top) * (
                min(left + kernel[1], limit[1] - edges[1][0]) - left
            )
            if kind == "MAX":
                y[:, :, i, j] = window.max(-1)
            elif kind == "L2":
                y[:, :, i, j] = np.sqrt((window**2).sum(-1))
            else:
                y[:, :, i, j] = window.sum(-1) / (window.shape[-1] if exclude else area)
    return y


@given(sizes=SIZES, kind=KINDS, kernel=KERNELS, stride=KERNELS, exclude=st.booleans(), data=st.data())
def test_valid_padding_with_borders(check_layers, noise, sizes, kind, kernel, stride, exclude, data):
    edges = [tuple(data.draw(st.integers(0, k - 1)) for _ in range(2)) for k in kernel]
    (top, bottom), (left, right) = edges
    check_layers(
        lambda b: b.add_pooling("layer", *kernel, *stride, kind, "VALID", "x0", "y", exclude, padding_top=top,
                                padding_bottom=bottom, padding_left=left, padding_right=right),
        lambda x: pooled(x, kind, kernel, stride, edges, exclude),
        noise(1, 3, *sizes),
    )  # fmt: skip


@given(sizes=SIZES, kind=KINDS, kernel=KERNELS, stride=KERNELS, exclude=st.booleans(),
       heavy=st.sampled_from(["BOTTOM_RIGHT_HEAVY", "TOP_LEFT_HEAVY"]))  # fmt: skip
def test_same_padding(check_layers, noise, sizes, kind, kernel, stride, exclude, heavy):
    totals = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(sizes, kernel, stride, strict=True)]
    edges = [(t // 2, t - t // 2) if heavy == "BOTTOM_RIGHT_HEAVY" else (t - t // 2, t // 2) for t in totals]
    check_layers(
        lambda b: b.add_pooling("layer", *kernel, *stride, kind, "SAME", "x0", "y", exclude,
                                same_padding_asymmetry_mode=heavy),
        lambda x: pooled(x, kind, kernel, stride, edges, exclude),
        noise(2, 3, *sizes),
    )  # fmt: skip


def last_pixel_windows(n, k, s, p, any_padding):
    """The number of windows by the formula of NeuralNetwork.proto."""
    windows = -(-(n + 2 * p - k) // s) + 1
    return windows - 1 if any_padding and (windows - 1) * s >= n + p else windows


@given(sizes=SIZES, kind=KINDS, kernel=KERNELS, stride=KERNELS, exclude=st.booleans(), data=st.data())
def test_the_last_pixel_may_be_included(check_layers, noise, sizes, kind, kernel, stride, exclude, data):
    padding = [data.draw(st.integers(0, k // 2)) for k in kernel]
    out = [
        last_pixel_windows(n, k, s, p, any(padding)) for n, k, s, p in zip(sizes, kernel, stride, padding, strict=True)
    ]
    assume(all(p or (-(-(n - k) // s)) * s < n for n, k, s, p in zip(sizes, kernel, stride, padding, strict=True)))
    limit = [n + 2 * p for n, p in zip(sizes, padding, strict=True)]
    check_layers(
        lambda b: b.add_pooling("layer", *kernel, *stride, kind, "INCLUDE_LAST_PIXEL", "x0", "y", exclude,
                                padding_top=padding[0], padding_bottom=padding[0], padding_left=padding[1],
                                padding_right=padding[1]),
        lambda x: pooled(x, kind, kernel, stride, [(p, p) for p in padding], exclude, out, limit),
        noise(1, 2, *sizes),
    )  # fmt: skip


def test_a_last_window_without_a_pixel_is_refused(network, run_network, noise):
    def add(builder):
        builder.add_pooling("pool", 1, 1, 3, 3, "MAX", "INCLUDE_LAST_PIXEL", "x0", "y")

    with pytest.raises(UnsupportedOps, match="pool \\(pooling, includeLastPixel"):
        run_network(network(add, (1, 1, 5, 5)), noise(1, 1, 5, 5))


@pytest.mark.parametrize("rank_5", [False, True])
@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        ("MAX", lambda x: x.max((-2, -1), keepdims=True)),
        ("AVERAGE", lambda x: x.mean((-2, -1), keepdims=True)),
        ("L2", lambda x: np.sqrt((x**2).sum((-2, -1), keepdims=True))),
    ],
)
def test_global_pooling(check_layers, noise, kind, whole, rank_5):
    check_layers(
        lambda b: b.add_pooling("layer", 1, 1, 1, 1, kind, "VALID", "x0", "y", is_global=True),
        (lambda x: whole(x)[None, None]) if rank_5 else whole,
        noise(3, 5, 4),
        rank_5=rank_5,
    )

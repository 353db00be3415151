"""MIL's `conv_transpose`: every pixel of x spreads the kernel over the result.

One matrix product makes what each pixel spreads, then the spread windows are added up where they overlap, one axis
after the other: windows that start at the same phase of the stride are shifted and added, and the phases take turns in
the result. No zeros are multiplied (MLX's convolution with `input_dilation` does: 79 ms against 1.2 ms for a 4 × 4
kernel of stride 2 on 28 × 28 × 64, on a 2-core Linux x86-64), and groups work on every back end.
"""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers


@lowers("conv_transpose", axes=Axes.SPATIAL)
def conv_transpose(
    x: mx.array,
    *,
    weight: mx.array,
    bias: mx.array | None = None,
    pad: tuple[int, ...] | None = None,
    output_shape: tuple[int, ...] | None = None,
    pad_type: str = "valid",
    strides: tuple[int, ...] = (),
    dilations: tuple[int, ...] = (),
    groups: int = 1,
    channels_last: bool = False,
) -> mx.array:
    """Transposed convolution over 1 to 3 axes. weight: I, O/groups, *kernel; with `channels_last` I, *kernel, O/groups.

    The padding is what is cut off. "same" gives size · stride, or `output_shape`, and cuts as TensorFlow does: the odd
    one at the end; what the kernel does not reach is 0 (and bias).
    """
    kernel = weight.shape[1:-1] if channels_last else weight.shape[2:]
    size = x.shape[1:-1] if channels_last else x.shape[2:]
    ones = (1,) * len(size)
    strides, dilations = strides or ones, dilations or ones
    full = [s * (n - 1) + (k - 1) * d + 1 for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)]
    # MIL writes output_shape in its own order: N, O, space.
    wanted = output_shape[-len(size) :] if output_shape else None
    cuts = _cuts(full, [n * s for n, s in zip(size, strides, strict=True)], wanted, pad_type, pad)
    y = _spread(x, weight.astype(x.dtype), groups, channels_last)
    for axis, (before, out) in enumerate(cuts):
        y = _overlapped(y, len(size), strides[axis], dilations[axis], before, out)
    if channels_last:
        return y if bias is None else y + bias.astype(y.dtype)
    y = y.reshape(x.shape[0], -1, *y.shape[1:-1])
    return y if bias is None else y + bias.astype(y.dtype).reshape(-1, *ones)


def _cuts(
    full: list[int],
    scaled: list[int],
    output_shape: tuple[int, ...] | None,
    pad_type: str,
    pad: tuple[int, ...] | None,
) -> list[tuple[int, int]]:
    """For each axis how much of the full result is cut off in front, and how long the rest is."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)] if pad else [(0, 0)] * len(full)
    if pad_type == "custom":
        lengths = output_shape or [n - before - after for n, (before, after) in zip(full, pairs, strict=True)]
        return [(before, n) for (before, _), n in zip(pairs, lengths, strict=True)]
    if pad_type == "valid":
        return [(0, n) for n in output_shape or full]
    if pad_type == "same":
        lengths = output_shape or scaled
        return [(max(0, n - out) // 2, out) for n, out in zip(full, lengths, strict=True)]
    raise NotCovered(f"conv_transpose (pad_type={pad_type})")


def _spread(x: mx.array, weight: mx.array, groups: int, channels_last: bool) -> mx.array:
    """What each pixel adds to the result: lead, *kernel, *size, tail, where lead or tail hold N and O."""
    n, ins = x.shape[0], weight.shape[0]
    if channels_last:
        size, kernel = x.shape[1:-1], weight.shape[1:-1]
        rows = x.reshape(n, -1, groups, ins // groups).swapaxes(1, 2)
        y = rows @ weight.reshape(groups, ins // groups, -1)
        y = y.reshape(n, groups, *size, *kernel, -1)
        spatial, r = tuple(range(2, 2 + len(size))), len(size)
        y = y.transpose(0, *(axis + r for axis in spatial), *spatial, 1, 2 + 2 * r)
        return y.reshape(n, *kernel, *size, -1)
    size, kernel = x.shape[2:], weight.shape[2:]
    columns = x.reshape(n, groups, ins // groups, -1)
    y = weight.reshape(groups, ins // groups, -1).swapaxes(1, 2) @ columns
    return y.reshape(-1, *kernel, *size, 1)


def _overlapped(y: mx.array, rank: int, stride: int, dilation: int, before: int, out: int) -> mx.array:
    """The first kernel axis (axis 1) added up along the first size axis that was not yet: `out` long from `before`.

    Every call takes away one kernel axis in front, so that the next size axis stands at the same place, 1 + rank.
    """
    taps, size = y.shape[1], y.shape[1 + rank]
    length = size + (taps - 1) * dilation // stride
    phases: list[mx.array | None] = [None] * stride
    for tap in range(taps):
        shift, phase = divmod(tap * dilation, stride)
        pads = [(0, 0)] * (y.ndim - 1)
        pads[rank] = (shift, length - size - shift)
        # summed in float32 whatever the type: the overlaps are part of one long sum
        part = mx.pad(y[:, tap].astype(mx.float32), pads)
        earlier = phases[phase]
        phases[phase] = part if earlier is None else earlier + part
    nothing = mx.zeros_like(next(part for part in phases if part is not None))
    together = mx.stack([nothing if part is None else part for part in phases], axis=rank + 1)
    shape = together.shape
    result = together.reshape(*shape[:rank], length * stride, *shape[rank + 2 :]).astype(y.dtype)
    missing = max(0, before + out - length * stride)
    if missing:
        pads = [(0, 0)] * result.ndim
        pads[rank] = (0, missing)
        result = mx.pad(result, pads)
    return result[(slice(None),) * rank + (slice(before, before + out),)]

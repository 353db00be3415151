"""How far convolution and pooling reach over the edge."""

from __future__ import annotations

from app.compiler.ops.registry import NotCovered

Pads = tuple[tuple[int, int], ...]
"""Before and after, one pair a spatial axis."""


def resolve(
    pad_type: str,
    pad: tuple[int, ...] | None,
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Pads:
    """The padding that MIL means. "same" gives ceil(size / stride) outputs, an odd one goes to the end ("same_lower":
    to the start). Source: coremltools, mil/ops/defs/_utils.py, `aggregated_pad`.

    Raises NotCovered for another word.
    """
    if pad_type == "valid":
        return ((0, 0),) * len(size)
    if pad_type == "custom":
        flat = pad or (0,) * (2 * len(size))
        return tuple((flat[2 * i], flat[2 * i + 1]) for i in range(len(size)))
    if pad_type not in ("same", "same_lower"):
        raise NotCovered(f"pad_type={pad_type}")
    pads = []
    for n, k, s, d in zip(size, kernel, strides, dilations, strict=True):
        total = max(0, s * -(-n // s) - n + (k - 1) * d + 1 - s)
        small, large = total // 2, total - total // 2
        pads.append((small, large) if pad_type == "same" else (large, small))
    return tuple(pads)


def flat(pads: Pads) -> tuple[int, ...]:
    """The pairs one after the other, as MIL writes custom padding."""
    return tuple(n for pair in pads for n in pair)

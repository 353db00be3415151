"""Where MIL's axes stand in a tensor."""

from __future__ import annotations


def place(axis: int, rank: int, channels_last: bool) -> int:
    """Where MIL's axis stands in the tensor: turned, the second is the last and those after it move up."""
    if not channels_last or axis == 0:
        return axis
    return rank - 1 if axis == 1 else axis - 1

"""A photo in shades of grey, for models that see no colours."""

from __future__ import annotations

import numpy as np
from PIL import Image


def to_grey(rgb_hwc: np.ndarray) -> np.ndarray:
    """The luma of each pixel, uint8 H×W×1, of uint8 H×W×3: 0.299 R + 0.587 G + 0.114 B, rounded (ITU-R BT.601-7)."""
    return np.asarray(Image.fromarray(rgb_hwc).convert("L"))[:, :, None]

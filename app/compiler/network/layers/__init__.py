"""One function a layer kind. Importing this package fills the table."""

from app.compiler.network.layers import (  # noqa: F401  imported for their @rebuilds
    activation,
    constants,
    convolution,
    elementwise,
    gathering,
    linear,
    normalization,
    padding,
    pooling,
    recurrent,
    reduction,
    resizing,
    shape,
    slicing,
    suppression,
    volume,
)

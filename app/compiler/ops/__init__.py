"""One function a MIL op, in files named like MIL's families. Importing this package fills the table."""

from app.compiler.ops import (  # noqa: F401  imported for their @lowers
    activation,
    attention,
    conv,
    conv_cpu,
    conv_transpose,
    elementwise_binary,
    elementwise_unary,
    image,
    image_resizing,
    linear,
    normalization,
    pool,
    reduction,
    sampling,
    scatter_gather,
    tensor_operation,
    tensor_transformation,
    transformers,
)

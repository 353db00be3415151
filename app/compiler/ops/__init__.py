"""One function a MIL op, in files named like MIL's families. Importing this package fills the table."""

from app.compiler.ops import (  # noqa: F401  imported for their @lowers
    activation,
    conv,
    conv_cpu,
    elementwise_binary,
    elementwise_unary,
    image,
    linear,
    normalization,
    pool,
    reduction,
    tensor_operation,
    tensor_transformation,
)

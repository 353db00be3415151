"""The passes and their order."""

from app.compiler.passes.activations import recognise_activations
from app.compiler.passes.attention import recognise_attention, take_before_transpose
from app.compiler.passes.batch.for_batch import for_batch
from app.compiler.passes.cleanup import drop_identities, drop_unread
from app.compiler.passes.constants import fold_constants
from app.compiler.passes.conv_folds import fold_input_scaling, fold_scales, merge_pads
from app.compiler.passes.cpu_functions import route_functions
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.cuda.routes import passes_on_cuda
from app.compiler.passes.layout import channels_last
from app.compiler.passes.norms import recognise_norms
from app.compiler.passes.precision import compute_in
from app.compiler.passes.products import recognise_linear
from app.compiler.program import Pass


def passes_for(precision: str, device: str) -> tuple[Pass, ...]:
    """What is done to a program as read, in order, whatever number of images it will run on."""
    return (
        compute_in(None if precision == "stored" else precision),
        # After the types are settled, for it drops casts between floats.
        drop_identities,
        # After the types are settled, for it computes in float32 what a cast to halves would have rounded.
        fold_constants,
        drop_unread,
        take_before_transpose,
        recognise_linear,
        recognise_activations,
        recognise_norms,
        recognise_attention,
        merge_pads,
        fold_scales,
        # After merge_pads, for it has to know the padding of the first convolution.
        fold_input_scaling,
    )


def passes_at(batch: int, device: str, *, portable: bool = False) -> tuple[Pass, ...]:
    """What then makes it ready to build for `batch` images, in order.

    `portable`: with MLX's own operations alone, which run wherever MLX does; else with kernels for the GPU of this
    machine too.
    """
    on_gpu = (channels_last, *(() if portable else passes_on_cuda()))
    return (
        # Last of those that ask for MIL's own axes.
        for_batch(batch),
        *((route_functions, route_convolutions) if device == "cpu" else on_gpu),
    )

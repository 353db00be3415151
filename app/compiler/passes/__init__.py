"""The passes and their order."""

from app.compiler.facts import Colour
from app.compiler.passes.batch import free_batch
from app.compiler.passes.cleanup import drop_identities, drop_unread
from app.compiler.passes.conv_folds import fold_input_scaling, fold_scales, merge_pads
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.image_input import take_pixels
from app.compiler.passes.layout import channels_last
from app.compiler.passes.precision import compute_in
from app.compiler.program import Pass


def passes_for(colour: Colour, precision: str, device: str) -> tuple[Pass, ...]:
    """What turns a program as read into one that is ready to build, in order."""
    return (
        take_pixels(colour),
        compute_in(None if precision == "stored" else precision),
        # After the types are settled, for it drops casts between floats.
        drop_identities,
        drop_unread,
        merge_pads,
        fold_scales,
        # After merge_pads, for it has to know the padding of the first convolution.
        fold_input_scaling,
        # Last of those that ask for MIL's own axes.
        free_batch,
        route_convolutions if device == "cpu" else channels_last,
    )

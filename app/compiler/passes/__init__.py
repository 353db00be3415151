"""The passes and their order."""

from app.compiler.facts import Colour
from app.compiler.passes.batch import free_batch
from app.compiler.passes.image_input import take_pixels
from app.compiler.passes.precision import compute_in
from app.compiler.program import Pass


def passes_for(colour: Colour, precision: str, device: str) -> tuple[Pass, ...]:
    """What turns a program as read into one that is ready to build, in order."""
    return (
        take_pixels(colour),
        compute_in(None if precision == "stored" else precision),
        # Last of those that ask for MIL's own axes.
        free_batch,
    )

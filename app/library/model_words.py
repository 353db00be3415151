"""What a model's parts are called for a person, in the shell as in the window. Imports neither mlx nor coremltools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import AppError, ModelHasNoImageInput, UnsupportedModel, UnsupportedOps
from app.i18n import N_, _

if TYPE_CHECKING:
    from app.compiler.facts import Feature
    from app.library.card import ModelCard

KINDS = {"mlProgram": N_("ML Program"), "neuralNetwork": N_("NeuralNetwork"), "pipeline": N_("pipeline")}
"""Kinds of ModelFacts -> what to call them."""

GROUPS = {
    "convolution": N_("convolution"),
    "pooling": N_("pooling"),
    "matrix product": N_("matrix product"),
    "attention": N_("attention"),
    "activation": N_("activation"),
    "normalization": N_("normalization"),
    "reduction": N_("reduction"),
    "elementwise": N_("elementwise"),
    "resizing": N_("resizing"),
    "input": N_("input"),
    "gather and scatter": N_("gather and scatter"),
    "recurrent layers": N_("recurrent layers"),
    "box suppression": N_("box suppression"),
    "whole network": N_("whole network"),
    "data movement": N_("data movement"),
}
"""Groups of app.compiler.profile -> what to call them."""

_RUNTIMES = {"mlx": "MLX", "coreml": "Core ML"}


def feature_text(feature: Feature, most_shapes: int | None = None) -> str:
    """ "image (RGB image, 224 × 224)", "x (fp32, 1 × 77)"; of a flexible one so many of its shapes at most."""
    if feature.kind == "image":
        _one, height, width, _channels = feature.shape
        what, shape = _("{colour} image").format(colour=feature.colour), f"{width} × {height}"
    else:
        what, shape = feature.dtype or feature.kind, " × ".join(map(str, feature.shape))
    parts = [what, *([shape] if shape else [])]
    if feature.flexible:
        shapes = feature.allowed_text().split(" or ")
        shown = " or ".join(shapes[:most_shapes]) + (" …" if len(shapes) > len(shapes[:most_shapes]) else "")
        parts.append(_("flexible: {shapes}").format(shapes=shown))
    if feature.optional:
        parts.append(_("optional"))
    return f"{feature.name} ({', '.join(parts)})"


def short_obstacle(error: AppError) -> str:
    """Why a target cannot run a model, in the few words that a line has room for; the error has the whole sentence."""
    if isinstance(error, UnsupportedOps):
        return _("MLX lacks {ops}").format(ops=", ".join(map(str, error.fields.get("ops", ()))))
    if isinstance(error, ModelHasNoImageInput):
        return _("the model takes no image")
    if isinstance(error, UnsupportedModel):
        return error.cause
    return str(error)


def obstacle_lines(card: ModelCard) -> list[str]:
    """Which engines cannot run the model and why, a line a reason; empty when all can, or nobody has looked."""
    runtimes: dict[str, list[str]] = {}
    for one in card.obstacles:
        runtimes.setdefault(str(one.reason), []).append(_RUNTIMES[one.runtime])
    return [
        _("No engine runs it: {reason}").format(reason=reason)
        if len(names) == len(_RUNTIMES)
        else _("{engines} cannot run it: {reason}").format(engines=", ".join(names), reason=reason)
        for reason, names in runtimes.items()
    ]

"""From the words of a command line to lanes: model, targets and precisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from app.cli.complaint import Complaints, say
from app.engine.targets import TARGETS, Precision, Target, target
from app.errors import AppError, ModelAmbiguous, ModelMissing, TargetUnavailable, UnknownTarget
from app.i18n import N_, _

if TYPE_CHECKING:
    from app.cli.rooms import Rooms
    from app.engine.messages import Lane, Loaded
    from app.library.catalog import ModelCard

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class Wish:
    """A target as it was asked for; `precision` None means the target's own default."""

    target: Target
    precision: Precision | None = None


class WishType(click.ParamType[Wish]):
    """TARGET or TARGET:PRECISION."""

    name = "target[:precision]"

    def convert(self, value: str | Wish, param: click.Parameter | None, ctx: click.Context | None) -> Wish:
        """Fails with what would be possible."""
        if isinstance(value, Wish):
            return value
        name, colon, precision = value.partition(":")
        try:
            wanted = target(name)
        except UnknownTarget as error:
            self.fail(str(error), param, ctx)
        if not colon:
            return Wish(wanted)
        for one in wanted.precisions:
            if one == precision:
                return Wish(wanted, one)
        self.fail(_no_such_precision(wanted, precision), param, ctx)


model_option = click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help=N_("A name that “dyno models” lists, or the path of a .mlpackage or .mlmodel.  [default: the first one]"),
)
target_option = click.option(
    "-t",
    "--target",
    "wishes",
    type=WishType(),
    multiple=True,
    metavar="TARGET[:PRECISION]",
    help=N_("Where to run it; may be given several times.  [default: every available target]"),
)

mlx_target_option = click.option(
    "-t",
    "--target",
    "wish",
    type=WishType(),
    default="mlx-cpu",
    show_default=True,
    metavar="TARGET[:PRECISION]",
    help=N_("Which target of MLX: mlx-cpu or mlx-gpu."),
)
function_option = click.option("--function", metavar="NAME", help=N_("Which function of a package that has several."))


def find_model(rooms: Rooms, name: str | None, named_by: str = "-m") -> ModelCard:
    """The model of that name or path, or the default one. `named_by`: the parameter that held the name.

    Raises ModelError for a path, click.BadParameter for a name that is in no list.
    """
    from app.library.catalog import SUFFIXES

    if name is None:
        return rooms.models()[0]
    try:
        return rooms.find_model(name)
    except (ModelMissing, ModelAmbiguous) as error:
        if "/" in name or Path(name).suffix.lower() in SUFFIXES:
            raise
        raise click.BadParameter(str(error), param_hint=named_by) from error


def choose_lanes(
    rooms: Rooms, model: ModelCard, wishes: Sequence[Wish], complaints: Complaints, precision: Precision | None = None
) -> list[Lane]:
    """A lane for each wish that this machine can fulfil, or one for each of its targets when there is no wish.

    The same wish twice is one.
    `precision` is for the targets that name none. A target that was asked for and is missing is complained about.
    Raises click.BadParameter when one that was asked for has no such precision.
    """
    from app.engine.messages import Lane

    states = {state.target.id: state for state in rooms.target_states()}
    lanes = []
    for wish in wishes or [Wish(one) for one in TARGETS]:
        state = states[wish.target.id]
        wanted = wish.precision or precision or wish.target.precisions[0]
        if wishes and wanted not in wish.target.precisions:
            raise click.BadParameter(_no_such_precision(wish.target, wanted), param_hint="--precision")
        if not state.available:
            if wishes:
                complaints.say(TargetUnavailable(target=wish.target.shown_name, reason=state.reason or ""))
        elif wanted not in wish.target.precisions:
            say(
                _("{target} is left out: it has no {precision}.").format(
                    target=wish.target.shown_name, precision=wanted
                )
            )
        else:
            lanes.append(Lane(model=str(model.path), target=wish.target.id, precision=wanted))
    return list(dict.fromkeys(lanes))


def require_mlx(rooms: Rooms, wish: Wish) -> Precision:
    """The precision to use on a target of MLX. Raises click.BadParameter for another target, TargetUnavailable."""
    if wish.target.runtime != "mlx":
        raise click.BadParameter(
            _("{target} is no target of MLX; choose mlx-cpu or mlx-gpu.").format(target=wish.target.shown_name),
            param_hint="-t",
        )
    state = next(one for one in rooms.target_states() if one.target.id == wish.target.id)
    if not state.available:
        raise TargetUnavailable(target=wish.target.shown_name, reason=state.reason or "")
    return wish.precision or wish.target.precisions[0]


def _no_such_precision(wanted: Target, precision: str) -> str:
    return _("{target} has no “{precision}”. Choose one of: {known}.").format(
        target=wanted.shown_name, precision=precision, known=", ".join(wanted.precisions)
    )


def tell_cache_note(wanted: Target, loaded: Loaded) -> None:
    """Say why the next start will be as slow as this one, if it will. That is no failure."""
    if loaded.cache_note is not None:
        say(_("{target}: {sentence}").format(target=wanted.shown_name, sentence=loaded.cache_note))


def about_target(wanted: Target, error: AppError) -> str:
    """The error's sentence, led by the target's name when it does not say it itself."""
    sentence, shown = str(error), wanted.shown_name
    return sentence if shown in sentence else _("{target}: {sentence}").format(target=shown, sentence=sentence)

"""`dyno verify`: whether MLX gives what a model file states."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.lanes import Wish, find_model, function_option, mlx_target_option, require_mlx
from app.cli.progress import telling
from app.cli.rooms import Rooms
from app.engine.targets import target
from app.i18n import N_, _

if TYPE_CHECKING:
    from app.compiler.verify_report import Verification


@click.command(
    cls=Command,
    short_help=N_("Whether MLX gives what a model file states."),
    help=N_(
        "Runs MODEL twice on the same noise: as MLX runs it, with everything that makes it fast, and plainly, one "
        "operation after the other in float32, as the file states it. Shows how far the two are apart and, if they do "
        "not agree, the operation at which they part; then the exit status is 1."
    ),
    examples=(
        ("dyno verify Face.mlmodel", N_("On the CPU.")),
        ("dyno verify Face.mlmodel -t mlx-gpu:fp16", N_("On the GPU in half precision.")),
    ),
)
@click.argument("model", required=False, metavar="MODEL")
@mlx_target_option
@function_option
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON object."))
@click.pass_obj
def verify(rooms: Rooms, model: str | None, wish: Wish, function: str | None, as_json: bool) -> int:
    """Exit status of the command."""
    precision = require_mlx(rooms, wish)
    card = find_model(rooms, model, "MODEL")
    with telling() as tell:
        tell(_("verifying {model}…").format(model=card.name))
        found = rooms.verify(card.path, wish.target.id, precision, function=function)
    if as_json:
        import msgspec

        plain = {**msgspec.to_builtins(found), "agrees": found.agrees}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")
    else:
        _print(found, card.name, wish.target.id)
    return 0 if found.agrees else 1


def _print(found: Verification, name: str, target_id: str) -> None:
    from app.cli.screen import screen, table

    out = screen()
    out.print(f"{name} · {target(target_id).shown_name} · {found.precision}", style="bold", soft_wrap=True)
    shown = table(_("output"), _("cosine"), _("largest difference"), _("of the largest value"), _("agrees"))
    for heading in shown.columns[1:4]:
        heading.justify = "right"
    for one in found.outputs:
        agrees = _("it agrees") if one.agrees else _("it differs")
        shown.add_row(one.name, f"{one.cosine:.7f}", f"{one.largest:.3g}", f"{one.relative:.2g}", agrees)
    out.print(shown)
    if found.agrees:
        out.print(
            _("MLX gives what the file states, within what rounding in {type} explains.").format(type=found.precision)
        )
    elif found.first_operation:
        out.print(_("They part at the operation “{kind}”.").format(kind=found.first_operation))

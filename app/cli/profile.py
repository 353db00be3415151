"""`dyno profile`: where MLX spends its time in a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.lanes import Wish, find_model, function_option, mlx_target_option, require_mlx
from app.cli.progress import counting
from app.cli.rooms import Rooms
from app.engine.targets import target
from app.i18n import N_, _
from app.library.model_words import GROUPS

if TYPE_CHECKING:
    from app.compiler.profile_report import Profile


@click.command(
    cls=Command,
    short_help=N_("Where MLX spends its time in a model."),
    help=N_(
        "Times every operation of MODEL on MLX by evaluating step by step, and shows the time of each group. "
        "Run as a whole the model is faster than the sum, for nothing waits in between; both are shown."
    ),
    examples=(
        ("dyno profile lite2 -t mlx-gpu", N_("A built-in model on the GPU.")),
        ("dyno profile Face.mlmodel -t mlx-cpu:fp32 --operations", N_("A model of your own, each kind by itself.")),
        ("dyno profile --json", N_("As JSON for another program.")),
    ),
)
@click.argument("model", required=False, metavar="MODEL")
@mlx_target_option
@click.option(
    "--rounds", type=click.IntRange(1, 10_000), default=20, show_default=True, help=N_("Runs to take the median of.")
)
@function_option
@click.option("--operations", is_flag=True, help=N_("Also show each kind of operation."))
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON object."))
@click.pass_obj
def profile(
    rooms: Rooms,
    model: str | None,
    wish: Wish,
    rounds: int,
    function: str | None,
    operations: bool,
    as_json: bool,
) -> int:
    """Exit status of the command."""
    precision = require_mlx(rooms, wish)
    card = find_model(rooms, model, "MODEL")
    with counting(_("profiling {model}").format(model=card.name)) as on_round:
        found = rooms.profile(
            card.path,
            wish.target.id,
            precision,
            function=function,
            rounds=rounds,
            on_round=on_round,
        )
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        _print(found, wish.target.id, operations)
    return 0


def _print(found: Profile, target_id: str, operations: bool) -> None:
    from app.cli.figures import milliseconds, percent
    from app.cli.screen import screen, table

    out = screen()
    out.print(f"{found.model} · {target(target_id).shown_name} · {found.precision}", style="bold", soft_wrap=True)
    shown = table(_("operations"), _("count"), _("time"), _("share"))
    for heading in shown.columns[1:]:
        heading.justify = "right"
    for group in found.groups:
        share = percent(group.ms / found.stepwise_ms) if found.stepwise_ms else ""
        shown.add_row(_(GROUPS.get(group.group, group.group)), str(group.count), milliseconds(group.ms), share)
        for kind, count, ms in group.kinds if operations else ():
            shown.add_row(f"  {kind}", str(count), milliseconds(ms), "", style="dim")
    out.print(shown)
    out.print(
        _("Step by step {stepwise}, as a whole {whole} (medians of {rounds} runs).").format(
            stepwise=milliseconds(found.stepwise_ms), whole=milliseconds(found.whole_ms), rounds=found.rounds
        )
    )
    if found.whole_ms < found.stepwise_ms:
        out.print(_("Step by step every operation waits for the one before; run as a whole the model is faster."))
    else:
        out.print(_("This time it took longer as a whole than step by step. Measure again when nothing else runs."))

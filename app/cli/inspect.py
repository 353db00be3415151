"""`dyno inspect`: what a model file holds, and whether MLX can run it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.lanes import find_model, function_option
from app.cli.progress import telling
from app.cli.rooms import Rooms
from app.i18n import N_, _, ngettext
from app.library.model_words import KINDS, feature_text
from app.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from app.compiler.inspection.report import Inspection

_FIRST_LABELS = 3
"""How many labels stand for all of them."""


@click.command(
    cls=Command,
    short_help=N_("What a model file holds, and whether MLX can run it."),
    help=N_(
        "Shows what MODEL holds: its kind, inputs and outputs, labels, operations, weights and how they are "
        "compressed, the work of one run, and whether MLX can run it."
    ),
    examples=(
        ("dyno inspect Face.mlmodel", N_("A model of your own.")),
        ("dyno inspect Many.mlpackage --function depth", N_("One function of a package that has several.")),
        ("dyno inspect Face.mlmodel --json", N_("As JSON for another program.")),
    ),
)
@click.argument("model", required=False, metavar="MODEL")
@function_option
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON object."))
@click.pass_obj
def inspect(rooms: Rooms, model: str | None, function: str | None, as_json: bool) -> int:
    """Exit status of the command."""
    card = find_model(rooms, model, "MODEL")
    with telling() as tell:
        tell(_("reading {model}…").format(model=card.name))
        found = rooms.inspect(card.path, function)
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        _print(found)
    # A file that cannot be read in whole is described as far as it goes, and is no success.
    return 1 if found.obstacle is not None and found.obstacle.error == "ModelUnreadable" else 0


def _print(found: Inspection) -> None:
    from app.cli.screen import screen

    out = screen()
    out.print(visible(found.facts.name), style="bold", soft_wrap=True)
    lines = list(_lines(found))
    width = max(len(name) for name, _value in lines)
    for name, value in lines:
        out.print(f"  {name:<{width}}  {visible(value)}", soft_wrap=True)
    if found.operations:
        out.print()
        _print_operations(out, found)
    out.print()
    out.print(found.obstacle.sentence if found.obstacle else _("MLX runs this model."), soft_wrap=True)


def _lines(found: Inspection) -> list[tuple[str, str]]:
    from app.cli.figures import size

    facts = found.facts
    kind = _("{kind}, specification {version}").format(kind=_(KINDS[facts.kind]), version=facts.specification)
    lines = [(_("kind"), kind), (_("size"), size(facts.size_bytes))]
    if len(facts.functions) > 1:
        lines.append((_("functions"), ", ".join(facts.functions)))
    lines += [(_("input"), feature_text(one, most_shapes=3)) for one in facts.inputs]
    lines += [(_("output"), feature_text(one, most_shapes=3)) for one in facts.output_features]
    if facts.labels:
        first = ", ".join(map(str, facts.labels[:_FIRST_LABELS]))
        lines.append((_("labels"), _("{count:,}: {first}, …").format(count=len(facts.labels), first=first)))
    lines.append((_("parameters"), f"{found.parameters:,}"))
    for one in found.weights:
        tensors = ngettext("{count} tensor", "{count} tensors", one.tensors).format(count=one.tensors)
        lines.append((_("weights"), f"{one.form}: {one.parameters:,} · {tensors} · {size(one.stored_bytes)}"))
    if found.multiply_adds is not None:
        lines.append((_("multiply-adds"), f"{found.multiply_adds:,}"))
    if facts.left_out:
        lines.append((_("does not run"), ", ".join(facts.left_out)))
    return lines


def _print_operations(out: Console, found: Inspection) -> None:
    from app.cli.screen import table

    shown = table(_("operation"), _("count"), "MLX")
    shown.columns[1].justify = "right"
    for one in found.operations:
        shown.add_row(visible(one.kind), str(one.count), _("yes") if one.supported else _("no"))
    out.print(shown)

"""`dyno models`: the models that can be named."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.figures import not_known, size
from app.cli.rooms import Rooms
from app.i18n import N_, _
from app.library.model_words import KINDS

if TYPE_CHECKING:
    from app.library.card import ModelCard


@click.command(
    cls=Command,
    short_help=N_("The models that -m understands by name."),
    help=N_(
        "Lists the models that -m understands by name, the built-in ones and those of your library, and which of this "
        "machine's targets can run each."
    ),
    examples=(
        ("dyno models", N_("As a table; the first one is the default.")),
        ("dyno models --json", N_("As JSON for another program.")),
    ),
)
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON array, one element a model."))
@click.pass_obj
def models(rooms: Rooms, as_json: bool) -> int:
    """Exit status of the command."""
    cards = rooms.models()
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(cards, enc_hook=str), indent=2) + b"\n")
        return 0
    from app.cli.screen import screen, table

    states = rooms.target_states()
    found = table(_("model"), _("name"), _("kind"), _("weights"), _("input"), _("size"), _("runs on"))
    for card in cards:
        pixels = f"{card.width} × {card.height}" if card.width and card.height else not_known()
        state = _("missing") if card.missing else size(card.size_bytes)
        kind = _(KINDS[card.kind]) if card.kind in KINDS else not_known()
        targets = [one.target.id for one in states if one.available and card.obstacle(one.target) is None]
        where = not_known() if card.missing or not card.kind else ", ".join(targets) or _why_nowhere(card)
        found.add_row(card.id, card.name, kind, card.weights or not_known(), pixels, state, where)
    screen().print(found)
    return 0


def _why_nowhere(card: ModelCard) -> str:
    """A model without an image input can still be inspected, verified, profiled and exported."""
    without = [one for one in card.obstacles if one.error == "ModelHasNoImageInput"]
    return _("takes no photo") if without else _("nothing here")

"""`dyno rename`, `dyno remove`, `dyno restore`: order in the library."""

from __future__ import annotations

import click

from app.cli.command import Command
from app.cli.rooms import Rooms
from app.errors import ModelMissing
from app.i18n import N_, _
from app.library.card import ModelCard


@click.command(
    cls=Command,
    short_help=N_("Give a model of your library another name."),
    help=N_("Gives MODEL, which is in your library, the name NAME."),
    examples=(("dyno rename face_v2_final Faces", N_("From now on it is “-m Faces”.")),),
)
@click.argument("model", metavar="MODEL")
@click.argument("name", metavar="NAME")
@click.pass_obj
def rename(rooms: Rooms, model: str, name: str) -> int:
    """Exit status of the command."""
    card = _own(rooms, model)
    renamed = rooms.rename_model(card, name)
    click.echo(_("“{model}” is now called “{name}”.").format(model=card.name, name=renamed.name))
    return 0


@click.command(
    cls=Command,
    short_help=N_("Take models out of your library."),
    help=N_("Takes each MODEL out of your library. Within a week “dyno restore” brings it back."),
    examples=(("dyno remove Faces", N_("The file that it was imported from stays.")),),
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.pass_obj
def remove(rooms: Rooms, models: tuple[str, ...]) -> int:
    """Exit status of the command."""
    # All are looked up first, so that a misspelt name removes nothing.
    for card in [_own(rooms, model) for model in dict.fromkeys(models)]:
        rooms.remove_model(card)
        said = _("“{model}” is out of the library; “dyno restore {model}” brings it back within a week.")
        click.echo(said.format(model=card.name))
    return 0


@click.command(
    cls=Command,
    short_help=N_("Bring a removed model back."),
    help=N_("Brings MODEL back, which was removed within the last week. Without a name it lists what can come back."),
    examples=(("dyno restore Faces", N_("Back in the library, as it was.")),),
)
@click.argument("model", required=False, metavar="MODEL")
@click.pass_obj
def restore(rooms: Rooms, model: str | None) -> int:
    """Exit status of the command."""
    if model is None:
        for card in rooms.removed_models():
            click.echo(card.name)
        return 0
    card = rooms.restore_model(model)
    click.echo(_("“{model}” is in the library.").format(model=card.name))
    return 0


def _own(rooms: Rooms, name: str) -> ModelCard:
    """The model of the library that is meant. Raises ModelError, also for one that is not in the library."""
    card = rooms.find_model(name)
    if card.built_in or card.linked:
        own = tuple(one.name for one in rooms.models() if not one.built_in and not one.linked)
        raise ModelMissing(model=name, known=own)
    return card

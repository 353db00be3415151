"""`dyno import`: models into the library."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.command import Command
from app.cli.complaint import Complaints
from app.cli.progress import counting
from app.cli.rooms import Rooms
from app.errors import AppError
from app.i18n import N_, _


@click.command(
    "import",
    cls=Command,
    short_help=N_("Copy models into your library."),
    help=N_(
        "Copies each FILE, a .mlpackage or .mlmodel, into your library, where -m and the window find it by name, and "
        "says which targets can run it. The file itself stays as it is."
    ),
    examples=(
        ("dyno import Face.mlmodel", N_("One model.")),
        ("dyno import ~/Downloads/*.mlpackage", N_("Several at once; those that cannot be used are named.")),
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.pass_obj
def import_(rooms: Rooms, files: tuple[Path, ...]) -> int:
    """Exit status of the command."""
    complaints = Complaints()
    for file in files:
        try:
            with counting(_("importing {model}").format(model=file.name)) as on_progress:
                found = rooms.import_model(file, on_progress)
        except AppError as error:
            complaints.say(error)
            continue
        said = _("“{model}” is in the library already.") if found.was_there else _("“{model}” is in the library.")
        click.echo(said.format(model=found.card.name))
        for reason in dict.fromkeys(str(one.reason) for one in found.card.obstacles):
            click.echo(f"  {reason}")
    return complaints.status

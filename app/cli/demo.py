"""`dyno demo`: the main job without a display. `python -m app` does it where there is no screen for the window."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from app import paths
from app.cli.command import Command
from app.cli.complaint import say
from app.display import has_display
from app.engine.child import child_environment, describe_exit, module_command
from app.i18n import N_, _
from app.paths import shown_path
from app.place import place_to_write

SNAPSHOT_WITHIN_S = 600.0
"""The child has a limit of its own for each of its steps; this one is for a child that hangs."""


@click.command(
    cls=Command,
    short_help=N_("The main job without a display: a table, and a picture of the window."),
    help=N_(
        "Classifies the first sample photo on every target of this machine, and draws the real window without a screen "
        "into a picture."
    ),
    examples=(
        ("dyno demo", N_("The picture goes to the folder of user data.")),
        ("dyno demo --picture window.png", N_("The picture goes there.")),
    ),
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help=N_("Where the picture of the window goes.  [default: window.png in the folder of user data]"),
)
@click.pass_context
def demo(ctx: click.Context, picture: Path | None) -> int:
    """Exit status of the command."""
    from app.cli.classify import classify

    photo = first_sample()
    if not has_display():
        click.echo(_("There is no display for the window, so its work is done here."))
    status = ctx.invoke(classify, photos=(str(photo),), model=None, wishes=(), precision=None, crop="centre", top=3)
    sys.stdout.flush()
    return max(status, draw_window(picture or paths.data_folder("window.png")))


def first_sample() -> Path:
    """The sample photo that the window starts with."""
    rows = json.loads(paths.resource("samples", "samples.json").read_text("utf-8"))["samples"]
    return paths.resource("samples", rows[0]["file"])


def draw_window(picture: Path) -> int:
    """Exit status of drawing the window into `picture`, in a process of its own: this one never loads Qt.

    1 also when there is a picture, but an engine in it failed; the child has then said which. Raises StorageError.
    """
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        place = place_to_write(picture)
        place.unlink(missing_ok=True)  # an old picture must not pass for a new one
        done = subprocess.run(
            [*module_command("app.ui.snapshot"), str(place)],
            env=child_environment(),
            timeout=SNAPSHOT_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(_("The window could not be drawn ({cause}).").format(cause=error))
        return 1
    if not place.is_file():
        say(_("The window could not be drawn ({cause}).").format(cause=describe_exit(done.returncode)))
        return 1
    click.echo(_("A picture of the window is in {path}.").format(path=shown_path(str(picture))))
    return 0 if done.returncode == 0 else 1

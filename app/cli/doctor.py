"""`dyno doctor`: what this installation has, what is wrong with it, and what to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.figures import memory_size, not_known, size
from app.cli.rooms import Rooms
from app.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from rich.table import Table

    from app.cli.health import Health

MACHINE = {
    "chip": N_("chip"),
    "model": N_("model"),
    "performance_cores": N_("performance cores"),
    "efficiency_cores": N_("efficiency cores"),
    "logical_cores": N_("logical cores"),
    "gpu_cores": N_("GPU cores"),
    "neural_engine_cores": N_("Neural Engine cores"),
    "memory_bytes": N_("memory"),
    "system": N_("system"),
}
"""Fields of app.machine.facts.Machine -> what they are called."""


@click.command(
    cls=Command,
    short_help=N_("What this installation has, and what is wrong with it."),
    help=N_(
        "Shows the targets with the reason why one is missing, versions, folders and resources; says what is wrong and "
        "what to do. The exit status is 1 when something is wrong. A target that this machine cannot have is not wrong."
    ),
    examples=(
        ("dyno doctor", N_("The report.")),
        ("dyno doctor --json", N_("The same for another program, or for a bug report.")),
    ),
)
@click.option("--json", "as_json", is_flag=True, help=N_("Print the report as one JSON object."))
@click.pass_obj
def doctor(rooms: Rooms, as_json: bool) -> int:
    """Exit status of the command."""
    import msgspec

    from app.cli.health import examine
    from app.cli.progress import telling

    with telling() as tell:
        tell(_("looking at this installation…"))
        health = examine(rooms)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(health), indent=2) + b"\n")
    else:
        _print(health)
    return 1 if health.problems else 0


def _print(health: Health) -> None:
    from app.cli.screen import screen

    out = screen()
    for table in (_machine(health), _targets(health), _folders(health)):
        out.print(table)
    for problem in health.problems:
        out.print(f"✗ {problem.what} {problem.advice}", style="red", soft_wrap=True)
    if not health.problems:
        out.print(_("Nothing is wrong."))


def _machine(health: Health) -> Table:
    from app.cli.screen import table

    found = table(_("machine"), _("value"))
    for name, words in MACHINE.items():
        value = health.machine.get(name)
        if value is not None:
            found.add_row(_(words), memory_size(value) if name.endswith("_bytes") else str(value))
    for name, version in health.versions.items():
        found.add_row(name, version)
    return found


def _targets(health: Health) -> Table:
    from app.cli.screen import table

    found = table(_("target"), "-t", _("state"))
    for one in health.targets:
        state = one.detail or _("available") if one.available else one.reason or not_known()
        found.add_row(one.name, one.target, ("✓ " if one.available else "– ") + state)
    return found


def _folders(health: Health) -> Table:
    from app.cli.screen import table

    found = table(_("folder"), _("path"), _("content"))
    names = {"cache": _("cache"), "data": _("data")}
    for name, folder in health.folders.items():
        found.add_row(names[name], folder.path, size(folder.size_bytes))
    for one in health.resources:
        found.add_row(
            _(one.name), one.path, ngettext("{count} file", "{count} files", one.count).format(count=one.count)
        )
    return found

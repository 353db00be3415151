"""`dyno export`: a model as an .mlxfn that any MLX program can load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.lanes import Wish, find_model, function_option, mlx_target_option, require_mlx
from app.cli.progress import telling
from app.cli.rooms import Rooms
from app.errors import StorageError
from app.i18n import N_, _
from app.place import place_to_write

if TYPE_CHECKING:
    from app.engine.exporting import Exported


@click.command(
    cls=Command,
    short_help=N_("Write a model as an .mlxfn that any MLX program can load."),
    help=N_(
        "Writes MODEL as FILE.mlxfn. Any program that has MLX (Python, C++ or Swift) can load and call it without this "
        "one: weights, scaling of the pixels and all else is inside. It takes its inputs by position, a photo as "
        "uint8 pixels N × height × width × 3 in RGB order, or × 1 where the model takes grey."
    ),
    examples=(
        ("dyno export Face.mlmodel -o face.mlxfn", N_("For one photo at a time, in float32.")),
        ("dyno export Face.mlmodel -o face.mlxfn -t mlx-gpu:fp16 --batch 8", N_("For eight at a time on the GPU.")),
    ),
)
@click.argument("model", metavar="MODEL")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE.mlxfn",
    help=N_("Where to write it."),
)
@mlx_target_option
@click.option("--batch", type=click.IntRange(1, 4096), default=1, show_default=True, help=N_("Photos in one call."))
@function_option
@click.option("--force", is_flag=True, help=N_("Replace FILE if it is there."))
@click.pass_obj
def export(rooms: Rooms, model: str, file: Path, wish: Wish, batch: int, function: str | None, force: bool) -> int:
    """Exit status of the command."""
    precision = require_mlx(rooms, wish)
    place_to_write(file)
    if file.exists() and not force:  # before the work; what appears meanwhile is not replaced either
        raise StorageError(path=str(file), cause=_("it exists already"))
    card = find_model(rooms, model, "MODEL")
    with telling() as tell:
        tell(_("exporting {model}…").format(model=card.name))
        made = rooms.export(
            card.path,
            file,
            wish.target.id,
            precision,
            function=function,
            batch=batch,
            overwrite=force,
        )
    _print(made)
    return 0


def _print(made: Exported) -> None:
    from app.cli.screen import screen

    out = screen()
    out.print(_("{file} takes and gives, in this order:").format(file=made.file), soft_wrap=True)
    for word, ports in ((_("input"), made.inputs), (_("output"), made.outputs)):
        for port in ports:
            shape = (port.shape[0] * made.batch, *port.shape[1:]) if port.shape else ()
            out.print(f"  {word}  {port.name}  {port.dtype}  {' × '.join(map(str, shape))}", soft_wrap=True)

"""`dyno classify`: what is in the photos, as answered by every engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.complaint import Complaints
from app.cli.lanes import (
    PRECISIONS,
    Wish,
    about_target,
    choose_lanes,
    find_model,
    model_option,
    target_option,
    tell_cache_note,
)
from app.cli.photos import open_photos
from app.cli.progress import Teller, stage_teller, telling
from app.cli.rooms import Rooms
from app.engine.targets import Precision, target
from app.errors import AppError
from app.i18n import N_

if TYPE_CHECKING:
    from app.bench.race import Engine
    from app.cli.answers import Archive, Result
    from app.engine.messages import Lane
    from app.imaging.crop import Crop
    from app.imaging.photo import Photo
    from app.library.catalog import ModelCard


@dataclass(frozen=True)
class Wanted:
    """What is asked of every engine about every photo."""

    model: ModelCard
    crop: Crop
    top: int
    archive: Archive | None
    """Where all outputs go, if they are wanted."""


@click.command(
    cls=Command,
    short_help=N_("What is in the photos, as answered by every engine."),
    help=N_(
        "Shows what is in each PHOTO, as answered by every engine. A folder stands for the photos directly in it, "
        "“-” for a picture on standard input. Engines answer one after the other, each photo once: "
        "the times say what one answer took, “dyno race” says how fast an engine is."
    ),
    examples=(
        ("dyno classify cat.jpg", N_("Every target of this machine, five likeliest answers each.")),
        ("dyno classify holiday/ -t mlx-gpu --top 1", N_("All photos of a folder on the GPU through MLX.")),
        ("dyno classify cat.jpg -t mlx-cpu -t coreml-ne --json", N_("Two targets, as JSON for another program.")),
        ("dyno classify cat.jpg -t mlx-cpu --outputs cat.npz", N_("Also keep every output of the model.")),
    ),
)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO…")
@model_option
@target_option
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help=N_("What to compute in, for targets that name none.  [default: the target's own]"),
)
@click.option(
    "--crop",
    type=click.Choice(["centre", "fit", "stretch"]),
    default="centre",
    show_default=True,
    help=N_("How the photo becomes the model's input: its middle, all of it with bars, or all of it out of shape."),
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help=N_("How many answers to show of each engine."),
)
@click.option(
    "--outputs",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.npz",
    help=N_(
        "Also write every output of the model into a NumPy archive: under its own name for one photo on one target, "
        "else under PHOTO/TARGET:PRECISION/NAME."
    ),
)
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON array, one element a photo and target."))
@click.pass_obj
def classify(
    rooms: Rooms,
    photos: tuple[str, ...],
    model: str | None,
    wishes: tuple[Wish, ...],
    precision: Precision | None,
    crop: str,
    top: int,
    outputs: Path | None,
    as_json: bool,
) -> int:
    """Exit status of the command."""
    from app.cli.answers import Archive, print_json, print_photo
    from app.imaging.crop import Crop

    complaints = Complaints()
    card = find_model(rooms, model)
    wanted = Wanted(card, Crop(crop), top, Archive() if outputs is not None else None)
    results: list[Result] = []
    with ExitStack() as engines:
        with telling() as tell:
            open_lanes = _open(
                rooms, choose_lanes(rooms, card, wishes, complaints, precision), engines, tell, complaints
            )
        for name, photo in open_photos(rooms, photos, complaints):
            if not open_lanes:
                break
            answers = _ask(open_lanes, wanted, name, photo, complaints)
            results += answers
            if not as_json:
                print_photo(name, photo, answers)
    if as_json:
        print_json(results)
    if outputs is not None and wanted.archive is not None:
        wanted.archive.write(outputs)
    return complaints.status


def _open(
    rooms: Rooms, lanes: Sequence[Lane], engines: ExitStack, tell: Teller, complaints: Complaints
) -> dict[Lane, Engine]:
    """The engines that could be started, by lane; those that could not are complained about."""
    opened: dict[Lane, Engine] = {}
    for lane in dict.fromkeys(lanes):
        wanted = target(lane.target)
        try:
            opened[lane] = engines.enter_context(rooms.open_engine(lane, stage_teller(wanted.shown_name, tell)))
        except AppError as error:
            complaints.say(about_target(wanted, error))
        else:
            tell_cache_note(wanted, opened[lane].loaded)
    return opened


def _ask(
    open_lanes: dict[Lane, Engine], wanted: Wanted, name: str, photo: Photo, complaints: Complaints
) -> list[Result]:
    """The answers of all engines to one photo. An engine that fails is left out from then on."""
    from app.cli.answers import results_of
    from app.engine.messages import Classified

    answered: dict[Lane, Classified] = {}
    for lane, engine in list(open_lanes.items()):
        try:
            answered[lane] = engine.classify(
                photo.rgb_hwc, wanted.crop, top=wanted.top, outputs=wanted.archive is not None
            )
        except AppError as error:
            complaints.say(about_target(target(lane.target), error))
            del open_lanes[lane]
        else:
            if wanted.archive is not None:
                wanted.archive.add(name, lane, answered[lane], engine.loaded.facts)
    return results_of(answered, {lane: open_lanes[lane].loaded for lane in answered}, wanted, name, photo)

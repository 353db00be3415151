"""`dyno race`: how fast each engine is, measured in turns."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

import click

from app.cli.command import Command
from app.cli.complaint import Complaints
from app.cli.lanes import (
    Wish,
    WishType,
    about_target,
    choose_lanes,
    find_model,
    model_option,
    target_option,
    tell_cache_note,
)
from app.cli.photos import open_photos
from app.cli.rooms import Rooms
from app.engine.targets import target
from app.i18n import N_, _

if TYPE_CHECKING:
    from app.bench.race import Race, RacePlan
    from app.bench.record import PhotoRecord
    from app.cli.race_progress import RaceProgressShown
    from app.engine.messages import Lane
    from app.imaging.photo import Photo

INTERRUPTED = 130


@click.command(
    cls=Command,
    short_help=N_("How fast each engine is, measured in turns."),
    help=N_(
        "Measures how fast the engines classify PHOTO (of a folder, its first photo). They take turns in short "
        "blocks, never two at the same moment, so that a machine that gets warmer or busier does so for all of "
        "them. Each result comes with a verdict: trusted, or why not. Ctrl-C ends the race and keeps what was measured."
    ),
    examples=(
        ("dyno race cat.jpg", N_("Every target of this machine, 100 samples each.")),
        ("dyno race cat.jpg -t mlx-cpu -t mlx-cpu:fp16", N_("One target in two precisions.")),
        ("dyno race cat.jpg --full --baseline coreml-cpu", N_("At least 1,024 samples and a minute for each target.")),
        ("dyno race cat.jpg --json > race.json", N_("All figures, verdicts and conditions for another program.")),
    ),
)
@click.argument("photo", metavar="PHOTO")
@model_option
@target_option
@click.option("--quick", "mode", flag_value="quick", default="quick", help=N_("100 samples a target.  [default]"))
@click.option("--full", "mode", flag_value="full", help=N_("At least 1,024 samples and 60 s a target."))
@click.option(
    "--baseline",
    type=WishType(),
    metavar="TARGET[:PRECISION]",
    help=N_("The target that the others are compared with.  [default: the first one]"),
)
@click.option("--json", "as_json", is_flag=True, help=N_("Print the result as one JSON object."))
@click.pass_obj
def race(
    rooms: Rooms,
    photo: str,
    model: str | None,
    wishes: tuple[Wish, ...],
    mode: str,
    baseline: Wish | None,
    as_json: bool,
) -> int:
    """Exit status of the command."""
    from app.bench.pace import PACES
    from app.bench.race import RacePlan
    from app.bench.report import record_of
    from app.cli.race_table import print_record, print_table
    from app.cli.versions import installed_versions
    from app.imaging.crop import Crop

    complaints = Complaints()
    card = find_model(rooms, model)
    lanes = choose_lanes(rooms, card, wishes, complaints)
    position = _position(baseline, lanes)
    opened = next(open_photos(rooms, [photo], complaints), None)
    if opened is None or not lanes:
        return complaints.status
    started = datetime.now(UTC)
    raced = _run(rooms, RacePlan(tuple(lanes), Crop.CENTRE, PACES[mode], position), opened[1])
    for run in raced.runs:
        if run.loaded is not None:
            tell_cache_note(target(run.lane.target), run.loaded)
        if run.error is not None:
            complaints.say(about_target(target(run.lane.target), run.error))
    record = record_of(
        raced,
        photo=_photo_record(*opened, raced),
        machine=rooms.machine(),
        versions=installed_versions(),
        started=started,
        model_names={str(card.path): card.id},
    )
    print_record(record) if as_json else print_table(record, opened[1].notes)
    return INTERRUPTED if raced.ended_by == "cancelled" else complaints.status


def _position(baseline: Wish | None, lanes: Sequence[Lane]) -> int:
    """Place of the baseline among the lanes. Raises click.BadParameter when it is not there."""
    if baseline is None:
        return 0
    for position, lane in enumerate(lanes):
        if lane.target == baseline.target.id and baseline.precision in (None, lane.precision):
            return position
    raise click.BadParameter(
        _("{target} is not in this race.").format(target=baseline.target.shown_name), param_hint="--baseline"
    )


def _photo_record(name: str, photo: Photo, raced: Race) -> PhotoRecord:
    from app.bench.record import PhotoRecord

    height, width = photo.rgb_hwc.shape[:2]
    return PhotoRecord(name=name, width=width, height=height, crop=str(raced.plan.crop))


def _run(rooms: Rooms, plan: RacePlan, photo: Photo) -> Race:
    """Run the race with its progress shown; Ctrl-C ends it."""
    from app.bench.race import run_race
    from app.cli.race_progress import racing

    cancel = threading.Event()
    with racing(plan) as progress, _interruptible(cancel, progress):
        return run_race(plan, photo.rgb_hwc, open_engine=rooms.open_engine, on_progress=progress.tell, cancel=cancel)


@contextmanager
def _interruptible(cancel: threading.Event, progress: RaceProgressShown) -> Iterator[None]:
    """Within the block Ctrl-C sets `cancel`; a second one, or one before anything was measured, interrupts at once."""

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_set() or not progress.measuring:
            raise KeyboardInterrupt
        cancel.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

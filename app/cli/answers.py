"""The answers of `dyno classify`: as JSON, as a table, as a NumPy archive."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from app.bench.agreement import Agreement, compare, reason_sentence
from app.cli.figures import milliseconds, percent
from app.cli.screen import fits, print_photo_line, print_stacked, screen, table
from app.engine.messages import Answer, Classified, Lane, Loaded, ModelFacts
from app.engine.targets import Precision, target
from app.errors import storage_error
from app.i18n import _, language
from app.place import place_to_write
from app.visible import visible

if TYPE_CHECKING:
    from app.cli.classify import Wanted
    from app.imaging.photo import Photo


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How near an answer is to that of another lane."""

    reference: str
    """The lane that is compared with, as TARGET:PRECISION."""
    same_top1: bool
    top5_overlap: float
    cosine: float
    largest_difference: float
    agrees: bool
    reasons: tuple[str, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One photo on one lane; an element of the JSON array. Times are in milliseconds."""

    photo: str
    model: str
    target: str
    precision: Precision
    batch: int
    crop: str
    device: str
    device_is_certain: bool
    top: tuple[Answer, ...]
    agreement: Compared | None
    """None for the reference itself, without a reference, and for a model that is no classifier."""
    decode_ms: float
    prepare_ms: float
    engine_ms: float
    total_ms: float

    @property
    def lane_name(self) -> str:
        """TARGET:PRECISION"""
        return f"{self.target}:{self.precision}"


def results_of(
    answered: Mapping[Lane, Classified], loaded: Mapping[Lane, Loaded], wanted: Wanted, name: str, photo: Photo
) -> list[Result]:
    """The results of one photo; each is compared with the fp32 lane among them, if there is one."""
    reference = next((lane for lane in answered if lane.precision == "fp32"), None)
    return [
        Result(
            photo=name,
            model=wanted.model.id,
            target=lane.target,
            precision=lane.precision,
            batch=lane.batch,
            crop=str(wanted.crop),
            device=loaded[lane].device,
            device_is_certain=loaded[lane].device_is_certain,
            top=answer.top,
            agreement=_compared(reference, answered, lane) if reference and lane is not reference else None,
            decode_ms=photo.decode_ms,
            prepare_ms=answer.prepare_ms,
            engine_ms=answer.engine_ms,
            total_ms=answer.total_ms,
        )
        for lane, answer in answered.items()
    ]


def _compared(reference: Lane, answered: Mapping[Lane, Classified], lane: Lane) -> Compared | None:
    right, given = (np.frombuffer(answered[one].probabilities, np.float32) for one in (reference, lane))
    if right.size == 0:
        return None
    found: Agreement = compare(right, given)
    return Compared(reference=f"{reference.target}:{reference.precision}", **msgspec.structs.asdict(found))


def print_json(results: Sequence[Result]) -> None:
    """One array on standard output, UTF-8 whatever the terminal's encoding."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


def print_photo(name: str, photo: Photo, results: Sequence[Result]) -> None:
    """A table of all lanes' answers to one photo."""
    if not results:
        return
    height, width = photo.rgb_hwc.shape[:2]
    out = screen()
    print_photo_line(out, f"{name}  {width} × {height} {photo.format}", photo.notes)
    found = table(_("target"), _("answer"), "", _("engine"), _("end to end"))
    for column in found.columns[2:]:
        column.justify, column.no_wrap = "right", True
    for result in results:
        found.add_row(
            f"{target(result.target).shown_name}\n{result.precision}",
            "\n".join([*map(_label, result.top)] or [_("no classes")]) + _agreement_words(result.agreement),
            "\n".join(percent(one.probability) for one in result.top),
            milliseconds(result.engine_ms),
            milliseconds(result.total_ms),
            end_section=True,
        )
    if fits(out, found):
        out.print(found)
        return
    for result in results:
        rows = [(percent(one.probability), _label(one)) for one in result.top] or [(_("answer"), _("no classes"))]
        rows += [(_("engine"), milliseconds(result.engine_ms)), (_("end to end"), milliseconds(result.total_ms))]
        print_stacked(out, f"{target(result.target).shown_name} {result.precision}", rows)
        if words := _agreement_words(result.agreement).strip():
            out.print(words, soft_wrap=True)


def _label(answer: Answer) -> str:
    from app.library.labels import shown_label

    return visible(shown_label(answer.label, language()))


def _agreement_words(found: Compared | None) -> str:
    if found is None or found.agrees:
        return ""
    reasons = ", ".join(map(reason_sentence, found.reasons))
    return "\n" + _("disagrees with {reference}: {reasons}").format(reference=found.reference, reasons=reasons)


class Archive:
    """All outputs of the model, of every photo on every lane, to be written as one NumPy archive."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, dict[str, np.ndarray]]] = []

    def add(self, photo: str, lane: Lane, answer: Classified, facts: ModelFacts) -> None:
        """Keep the outputs of one answer: arrays, and the winning label of a classifier as text."""
        arrays = {
            name: np.frombuffer(tensor.data, np.dtype(tensor.dtype)).reshape(tensor.shape)
            for name, tensor in (answer.outputs or {}).items()
        }
        # Core ML gives the label as an output too; an engine sends only arrays.
        labels = {name: np.array([answer.top[0].label]) for name in facts.outputs if name not in arrays and answer.top}
        self._kept.append((f"{photo}/{lane.target}:{lane.precision}", arrays | labels))

    def write(self, path: Path) -> None:
        """Write it whole or not at all. Raises StorageError."""
        alone = len(self._kept) == 1
        arrays = {
            name if alone else f"{whose}/{name}": array for whose, kept in self._kept for name, array in kept.items()
        }
        place = place_to_write(path)
        temporary = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            with open(temporary, "xb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            os.replace(temporary, place)
        except OSError as error:
            with suppress(OSError):  # where it could not be made, it may not be looked for either
                temporary.unlink(missing_ok=True)
            raise storage_error(path, error) from error

"""The result of `dyno race`: as JSON, or as a table that says first what may be believed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.bench import agreement, verdict
from app.bench.record import Comparison, LaneRecord, RaceRecord, to_json
from app.cli.figures import figure, milliseconds, not_known, percent, size
from app.cli.screen import fits, print_photo_line, print_stacked, screen, table
from app.engine.targets import target
from app.i18n import N_, _, language

if TYPE_CHECKING:
    from rich.table import Table

WIDTH_WITH_VERDICT = 110
"""Below, the verdicts stand in lines of their own under the table."""

ENDINGS = {
    "cancelled": N_("The race was ended early. The figures are of what was measured until then."),
    "power-source-changed": N_("The power source changed, so the race was ended early. Run it again."),
    "no-lane-left": N_("No lane was left to measure."),
}
"""Why a race is incomplete (`RaceRecord.ended_by`) -> what to say."""


def print_record(record: RaceRecord) -> None:
    """The record on standard output as JSON, UTF-8 whatever the terminal's encoding."""
    sys.stdout.buffer.write(to_json(record) + b"\n")


def print_table(record: RaceRecord, notes: Sequence[str] = ()) -> None:
    """One row a lane, then the conditions. `notes` are those of the photo."""
    out = screen()
    photo = record.photo
    print_photo_line(out, f"{photo.name}  {photo.width} × {photo.height}", notes)
    wide, narrow = _table(record, with_verdict=True), _table(record, with_verdict=False)
    if out.width >= WIDTH_WITH_VERDICT and fits(out, wide):
        out.print(wide)
    elif fits(out, narrow):
        out.print(narrow)
        for lane in record.lanes:
            out.print(_("{lane}: {verdict}").format(lane=_name(lane), verdict=_verdict(lane)))
    else:
        for position, lane in enumerate(record.lanes):
            values = (_verdict(lane), *_figures(record, position), _answer(lane))
            print_stacked(out, _name(lane), zip(_headings()[1:], values, strict=True))
    out.print(*_below(record), sep="\n")


def _headings() -> tuple[str, ...]:
    return (_("target"), _("verdict"), _("median"), "p95", _("images/s"), _("speed"), _("memory"), _("answer"))


def _name(lane: LaneRecord) -> str:
    return f"{target(lane.target).shown_name} {lane.precision}"


def _table(record: RaceRecord, *, with_verdict: bool) -> Table:
    first, second, *others = _headings()
    found = table(first, *([second] if with_verdict else []), *others)
    for column in found.columns[-6:-1]:
        column.justify, column.no_wrap = "right", True
    for position, lane in enumerate(record.lanes):
        name = f"{target(lane.target).shown_name}\n{lane.precision}"
        said = [_verdict(lane)] if with_verdict else []
        found.add_row(name, *said, *_figures(record, position), _answer(lane), end_section=True)
    return found


def _figures(record: RaceRecord, position: int) -> tuple[str, ...]:
    lane = record.lanes[position]
    summary, rate = lane.engine_ms, lane.throughput_per_s
    return (
        milliseconds(summary.median if summary else None),
        milliseconds(summary.p95 if summary else None),
        figure(rate) if rate is not None else not_known(),
        _speed(record, position),
        size(lane.memory_bytes),
    )


def _speed(record: RaceRecord, position: int) -> str:
    """How many times as fast as the baseline, over its interval. A lane that answers wrongly is not fast."""
    compared = {one.lane: one for one in record.comparisons}
    lane = record.lanes[position]
    if lane.agreement and not lane.agreement.agrees:
        return not_known()
    if position in compared:
        return _times(compared[position])
    baselines = {one.baseline for one in record.comparisons}
    return _("baseline") if position in baselines else not_known()


def _times(found: Comparison) -> str:
    if found.low is None or found.high is None:
        return f"{figure(1 / found.ratio)}×"
    return f"{figure(1 / found.ratio)}×\n{figure(1 / found.high)}–{figure(1 / found.low)}"


def _verdict(lane: LaneRecord) -> str:
    if lane.failure is not None:
        return _("failed")
    if lane.agreement and not lane.agreement.agrees:
        reasons = ", ".join(map(agreement.reason_sentence, lane.agreement.reasons))
        return _("wrong: {reasons}").format(reasons=reasons)
    if lane.verdict is None:
        return _("not measured")
    if lane.verdict.trusted:
        return _("trusted")
    return _("not trusted: {reasons}").format(reasons=", ".join(map(verdict.reason_sentence, lane.verdict.reasons)))


def _answer(lane: LaneRecord) -> str:
    from app.library.labels import shown_label

    if not lane.top:
        return not_known()
    return f"{shown_label(lane.top[0].label, language())}\n{percent(lane.top[0].probability)}"


def _below(record: RaceRecord) -> list[str]:
    """Lines under the table: what "speed" means, why it ended early, and on what it ran."""
    lines = []
    if record.comparisons:
        base = record.lanes[record.comparisons[0].baseline]
        shown = f"{target(base.target).shown_name} {base.precision}"
        lines.append(_("Speed against {baseline}, with the interval that holds it with 95 %.").format(baseline=shown))
    if record.ended_by is not None:
        lines.append(_(ENDINGS[record.ended_by]))
    lines.append(_conditions(record))
    return lines


def _conditions(record: RaceRecord) -> str:
    machine, end = record.conditions.machine, record.conditions.end
    parts = [str(machine.get("chip") or machine.get("model") or ""), str(machine.get("system") or "")]
    if end.get("on_battery") is not None:
        parts.append(_("on battery") if end["on_battery"] else _("on mains"))
    if record.conditions.other_load is not None:
        parts.append(_("other programs used {share} of it").format(share=percent(record.conditions.other_load)))
    return " · ".join(part for part in parts if part)

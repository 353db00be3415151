"""What the cards show, as JSON, CSV or plain text."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.errors import storage_error
from app.i18n import language
from app.library.labels import shown_label
from app.paths import shown_path
from app.ui.lane_state import LaneState
from app.ui.lane_words import agreement_line, big_number, rate_line, when_line
from app.ui.top_bars import percent


def result_rows(states: list[LaneState], photo: str, crop: str) -> list[dict[str, Any]]:
    """One element a lane that has answered; the first keys are those of `dyno classify --json`.

    `live` holds the engine times in ms of the newest run's last ten seconds, null when there was no run. `error` is the
    sentence of what ended the lane after these figures, null while it can go on.
    """
    rows = []
    for state in states:
        if not state.answered or state.stale:
            continue
        agreement = state.compared.agreement if state.compared else None
        rows.append(
            {
                "photo": shown_path(photo),
                "model": shown_path(Path(state.lane.model).name),
                "target": state.lane.target,
                "precision": state.lane.precision,
                "top": [{"index": a.index, "label": a.label, "probability": a.probability} for a in state.top],
                "prepare_ms": state.prepare_ms,
                "engine_ms": state.single_ms,
                "total_ms": state.total_ms,
                "crop": crop,
                "batch": state.lane.batch,
                "live": _live(state),
                "footprint_bytes": state.memory.footprint_bytes if state.memory else None,
                "agrees": agreement.agrees if agreement else None,
                "device": state.device,
                "device_is_certain": state.device_is_certain,
                "load_ms": state.load_ms,
                "loaded_from_cache": state.from_cache,
                "error": str(state.error) if state.error else None,
            }
        )
    return rows


def as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def as_csv(rows: list[dict[str, Any]]) -> str:
    """One line a lane; the answers and the live figures get columns of their own."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def as_text(states: list[LaneState], photo: str) -> str:
    """A few lines for a mail: what each lane answered and how fast."""
    lines = [shown_path(photo)]
    for state in states:
        if not state.answered or state.stale:
            continue
        number, unit, what = big_number(state)
        said = ", ".join(f"{shown_label(one.label, language())} {percent(one.probability)}" for one in state.top)
        parts = [f"{number} {unit} {what}", rate_line(state) if state.live else "", agreement_line(state)[0], said]
        if state.error is not None:
            parts += [when_line(state), str(state.error)]
        lines.append(f"{state.target.shown_name}: " + " · ".join(part for part in parts if part))
    return "\n".join(lines) + "\n"


def write_results(path: Path, rows: list[dict[str, Any]]) -> None:
    """As CSV when the name ends in .csv, else as JSON; whole, or the earlier file stays. Raises StorageError."""
    # Excel takes a CSV file for UTF-8 only when it begins with a byte order mark.
    is_csv = path.suffix.lower() == ".csv"
    data = as_csv(rows).encode("utf-8-sig") if is_csv else as_json(rows).encode()
    # Its own short name: with the chosen one in it, it could become too long.
    unfinished = path.with_name(f".dyno-export-{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise storage_error(shown_path(path), error) from error


def _live(state: LaneState) -> dict[str, Any] | None:
    if state.live is None:
        return None
    live = state.live
    return {
        "n": live.n,
        "median_ms": live.median,
        "p90_ms": live.p90,
        "p95_ms": live.p95,
        "p99_ms": live.p99,
        "min_ms": live.min,
        "max_ms": live.max,
        "spread": live.spread,
        "images_per_s": state.images_per_s,
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in row.items() if key not in ("top", "live")}
    for place, answer in enumerate(row["top"], start=1):
        flat |= {f"top{place}_{key}": answer[key] for key in ("index", "label", "probability")}
    for key, value in (row["live"] or {}).items():
        flat[f"live_{key}"] = value
    return flat

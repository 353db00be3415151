"""The benchmark: every figure that the project promises, with its bound, measured here and now.

    make bench                                    all rows
    .venv/bin/python tests/benchmarks/run.py --only pytorch --json out/bench.json

Ratios are of programs measured in turns within one run, with a bootstrap interval that holds the ratio with 95 %.
The exit status is 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rows import Row, not_measured

from app.bench.other_load import other_load, read_cpu_times
from app.bench.verdict import LARGEST_OTHER_LOAD
from app.cli.figures import figure
from app.cli.versions import installed_versions
from app.machine.conditions import read_conditions
from app.machine.facts import read_machine

GROUPS = ("answers", "overhead", "pytorch", "cpu_networks", "gpu_networks", "window_cost", "window_start")
"""Each is a file of this folder with `measure() -> list[Row]`."""


class Report(msgspec.Struct, kw_only=True):
    """Everything that is written as JSON."""

    schema: int = 1
    started: str
    versions: dict[str, str]
    machine: Any
    conditions_start: Any
    conditions_end: Any = None
    other_load: float | None = None
    """Share of all cores that other programs used meanwhile, 0 to 1."""
    rows: list[Row] = []


def main() -> int:
    arguments = _arguments()
    report = Report(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=installed_versions(),
        machine=read_machine(),
        conditions_start=read_conditions(),
    )
    before = read_cpu_times()
    for group in arguments.only or GROUPS:
        print(f"{group} …", file=sys.stderr, flush=True)
        report.rows += _rows_of(group)
    report.other_load = other_load(before, read_cpu_times())
    report.conditions_end = read_conditions()
    _print(report)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report, enc_hook=str), indent=1))
    return 1 if any(row.status == "miss" for row in report.rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=GROUPS, help="may repeat")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def _rows_of(group: str) -> list[Row]:
    """A group that fails is a row that says so: the others still count."""
    try:
        rows: list[Row] = importlib.import_module(group).measure()
        return rows
    except Exception as error:
        return [not_measured(group, group, f"failed: {error!r}")]


def _print(report: Report) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("benchmark", "measured", "interval", "bound", "result"):
        table.add_column(heading, overflow="fold")
    for row in report.rows:
        interval = f"{row.low:.3f} to {row.high:.3f}" if row.low is not None and row.high is not None else ""
        value = "" if row.value is None else f"{_shown(row.value)} {row.unit}".strip()
        bound = "" if row.bound is None else f"≤ {row.bound:g}"
        table.add_row(row.what, value, interval, bound, f"{row.status}: {row.note}" if row.note else row.status)
    console = Console(width=None if sys.stdout.isatty() else 140, markup=False, highlight=False)
    console.print(table)
    share = "unknown" if report.other_load is None else f"{report.other_load:.0%}"
    console.print(f"{report.machine}\n{report.conditions_end}\nother programs used {share} of all cores")
    if report.other_load is not None and report.other_load > LARGEST_OTHER_LOAD:
        console.print("That is too much for figures that one could trust: run it again when the machine is calm.")


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else figure(value)


if __name__ == "__main__":
    sys.exit(main())

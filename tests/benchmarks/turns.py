"""Two programs measured in turns, A B A B …, and the ratio of their times."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.bench.statistics import Ratio, ratio_interval

ROOT = Path(__file__).resolve().parents[2]

Block = Callable[[int], Sequence[float]]
"""Measures that many samples and gives their times; the unit is the block's own business, but the same in A and B."""


def in_turns(a: Block, b: Block, *, rounds: int, samples: int, warmup: int) -> tuple[list[float], list[float]]:
    """Median of each block of `samples`, of A and of B, after `warmup` samples of each. Never both at once."""
    for one in (a, b):
        one(warmup)
    medians: tuple[list[float], list[float]] = ([], [])
    for _round in range(rounds):
        for block, kept in zip((a, b), medians, strict=True):
            kept.append(statistics.median(block(samples)))
    return medians


def ratio_row(a: Sequence[float], b: Sequence[float]) -> tuple[Ratio, dict[str, Any]]:
    """The ratio A/B of paired block medians, and the medians for the record."""
    return ratio_interval(a, b), {"a": list(a), "b": list(b)}


class Worker:
    """A program that is told `samples` on a line and answers with a line of JSON: its times in ns."""

    def __init__(
        self, *command: str, python: str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [python, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        self.facts: dict[str, Any] = self._answer()
        """What the program said of itself when it was ready."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program: its input is closed, and it leaves."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def block(self, samples: int) -> list[float]:
        """Times in ns."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{samples}\n")
        self._process.stdin.flush()
        times: list[float] = self._answer()["ns"]
        return times

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

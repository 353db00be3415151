"""Answers one question about a model: `python -m app.engine.inquiry_child --fd N`, the question on standard input.

A process of its own, because a stranger's file may crash or fill what reads it, and because the window imports neither
mlx nor coremltools. Writes JSON objects to the descriptor, one a line: any number of `progress`, then `answer` or
`error`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from app.errors import AppError, InternalError, to_wire
from app.i18n import use_language
from app.paths import resource

Progress = Callable[[int, int], None]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: "inspect", "profile" or "verify"; target and precision are for the last two, rounds for a profile."""

    kind: str
    path: str
    language: str
    function: str | None = None
    target: str = "mlx-cpu"
    precision: str = "fp32"
    rounds: int = 20


def answer(question: Question, on_progress: Progress) -> Any:
    """An Inspection, a Profile or a Verification. Raises AppError."""
    path = Path(question.path)
    if question.kind == "inspect":
        from app.compiler.inspection import inspect_model

        return inspect_model(path, question.function)
    from app.engine import studies

    where: dict[str, Any] = {"path": path, "target_id": question.target, "precision": question.precision}
    if question.kind == "verify":
        return studies.verify(**where, function=question.function)
    return studies.profile(**where, function=question.function, rounds=question.rounds, on_round=on_progress)


def keep_to_the_memory_there_is() -> None:
    """Let an allocation beyond the machine's memory fail here, instead of the system ending whatever it likes.

    macOS takes the limit and does not enforce it.
    """
    import resource as limits

    import psutil

    total = psutil.virtual_memory().total
    _, hard = limits.getrlimit(limits.RLIMIT_AS)
    if hard == limits.RLIM_INFINITY or hard > total:
        limits.setrlimit(limits.RLIMIT_AS, (total, hard))


def main(arguments: list[str] | None = None) -> None:
    """Answer, end."""
    parser = argparse.ArgumentParser(prog="python -m app.engine.inquiry_child")
    parser.add_argument("--fd", type=int, required=True)
    stream = os.fdopen(parser.parse_args(arguments).fd, "wb")

    def tell(**message: Any) -> None:
        stream.write(msgspec.json.encode(message) + b"\n")
        stream.flush()

    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    use_language(question.language, resource("locale"))
    # A GPU's driver reserves more address space than there is memory.
    if question.kind == "inspect" or question.target == "mlx-cpu":
        keep_to_the_memory_there_is()
    try:
        tell(answer=answer(question, lambda done, of: tell(progress=(done, of))))
    except AppError as error:
        tell(error=to_wire(error))
    except Exception as error:
        tell(error=to_wire(InternalError(cause=repr(error))))
    os._exit(0)  # the answer is out; nothing that the runtimes do on their way down can spoil it


if __name__ == "__main__":
    main()

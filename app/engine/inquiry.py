"""Questions about a model that a process of its own answers: what it holds, where its time goes, is it right."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.compiler.inspection.report import Inspection
from app.compiler.profile_report import Profile
from app.compiler.verify_report import Verification
from app.engine.child import child_environment, describe_exit, module_command
from app.engine.inquiry_child import Progress, Question
from app.engine.targets import Precision
from app.errors import Cancelled, InternalError, ModelCrashes, from_wire
from app.i18n import language


def inspect(path: Path, function: str | None = None, *, cancel: threading.Event | None = None) -> Inspection:
    """What the model at `path` holds.

    Raises ModelError; Cancelled soon after `cancel` is set, which ends the process.
    """
    found = _ask(Question(kind="inspect", path=str(path), language=language(), function=function), cancel, _unheard)
    return msgspec.convert(found, Inspection)


def profile(
    path: Path,
    target_id: str,
    precision: Precision,
    *,
    function: str | None = None,
    rounds: int = 20,
    on_round: Progress = lambda done, of: None,
    cancel: threading.Event | None = None,
) -> Profile:
    """Where MLX spends its time in the model at `path`.

    Raises ModelError, EngineError; Cancelled soon after `cancel` is set, which ends the process.
    """
    question = Question(
        kind="profile",
        path=str(path),
        language=language(),
        function=function,
        target=target_id,
        precision=precision,
        rounds=rounds,
    )
    return msgspec.convert(_ask(question, cancel, on_round), Profile)


def verify(
    path: Path,
    target_id: str,
    precision: Precision,
    *,
    function: str | None = None,
    cancel: threading.Event | None = None,
) -> Verification:
    """How far what runs on an MLX target is from what the file states, on seeded noise.

    Raises ModelError, EngineError; Cancelled soon after `cancel` is set, which ends the process.
    """
    question = Question(
        kind="verify",
        path=str(path),
        language=language(),
        function=function,
        target=target_id,
        precision=precision,
    )
    return msgspec.convert(_ask(question, cancel, _unheard), Verification)


def _unheard(done: int, of: int) -> None:
    pass


def _ask(question: Question, cancel: threading.Event | None, on_progress: Progress) -> Any:
    """The answer as plain values. Raises what the process says, ModelCrashes, Cancelled."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answers:
        try:
            process = subprocess.Popen(
                [*module_command("app.engine.inquiry_child"), "--fd", str(writing)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child_environment(),
                pass_fds=(writing,),
                process_group=0,
            )
        finally:
            os.close(writing)
        with process, _ended_by(cancel, process):
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(msgspec.json.encode(question))
            for line in answers:
                message = msgspec.json.decode(line)
                if "progress" in message:
                    on_progress(*message["progress"])
                elif "error" in message:
                    name, fields = message["error"]
                    raise from_wire(name, fields)
                else:
                    return message["answer"]
            process.wait()
    if cancel is not None and cancel.is_set():
        raise Cancelled()
    if process.returncode == 0:
        raise InternalError(cause="an inquiry ended without an answer")
    raise ModelCrashes(model=Path(question.path).name, how=describe_exit(process.returncode))


@contextlib.contextmanager
def _ended_by(cancel: threading.Event | None, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process when `cancel` is set, and in any case when the block is left."""
    left = threading.Event()

    def watch() -> None:
        assert cancel is not None
        while not left.is_set():
            if cancel.wait(0.05):
                _kill(process)
                return

    watcher = threading.Thread(target=watch, name="cancelling an inquiry", daemon=True) if cancel is not None else None
    if watcher:
        watcher.start()
    try:
        yield
    finally:
        left.set()
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

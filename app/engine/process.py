"""The engine process as its client holds it: the start, the channel, the output, the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence

from app.engine.child import child_environment, describe_exit
from app.engine.messages import Event
from app.engine.output_tail import OutputTail
from app.engine.wire import Wire, client_wire

_EXIT_S = 1.0
"""How long a process that has closed its channel may take to end."""

_KILLED_S = 5.0
"""How long a process that was killed may take to end."""


class EngineProcess:
    """A started process. Any thread may kill it; one thread reads `wire` to its end and then reaps."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None, ring_fd: int) -> None:
        """Start `command`, which is told the descriptors of the channel and of the samples. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*command, "--fd", str(theirs.fileno()), "--ring-fd", str(ring_fd)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=child_environment(environment),
                pass_fds=(theirs.fileno(), ring_fd),
                # A group of its own: Ctrl-C in the terminal reaches us alone, and we end the process in our order.
                process_group=0,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        assert self._process.stdout is not None
        self._output = OutputTail(self._process.stdout)
        self._lock = threading.Lock()
        self.pid = self._process.pid
        self.wire: Wire[Event] = client_wire(ours)

    def kill(self) -> None:
        """SIGKILL to the process and whatever it started, if it still lives."""
        with self._lock:
            if self._process.returncode is None:
                try:
                    os.killpg(self.pid, signal.SIGKILL)
                except (
                    ProcessLookupError,
                    PermissionError,
                ):  # macOS answers EPERM when only a zombie is left of the group
                    self._process.kill()

    def reap(self) -> tuple[str, str]:
        """Wait for the end after the channel closed, and close this side; how it ended, and the last of its output."""
        self.wire.close()
        try:
            self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            try:
                self._process.wait(_KILLED_S)
            except subprocess.TimeoutExpired:  # stuck inside a driver; subprocess reaps it when it comes out
                return "killed, but it does not end", self._output.finish()
        return describe_exit(self._process.returncode), self._output.finish()

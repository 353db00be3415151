"""What goes wrong, as one line each on standard error."""

from __future__ import annotations

import sys

from app.visible import visible


class Complaints:
    """Prints each different sentence once and remembers that there was one."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, error: Exception | str) -> None:
        """Print `error` as one line. The same sentence again is not printed again."""
        sentence = " ".join(str(error).split())
        if sentence not in self._said:
            self._said.add(sentence)
            say(sentence)

    @property
    def status(self) -> int:
        """Exit status: 1 when something was said, else 0."""
        return 1 if self._said else 0


def say(sentence: str) -> None:
    """Print one line on standard error. Nobody there to read it is no reason to fail."""
    try:
        print(f"dyno: {visible(sentence)}", file=sys.stderr, flush=True)
    except OSError:
        return

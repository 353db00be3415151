"""Start: without an argument the window, otherwise the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Exit status of the program: 0 fine, 1 something failed, 2 used wrongly."""
    if len(sys.argv) > 1:
        from app.cli.main import run_command_line

        return run_command_line(sys.argv[1:])
    from app.ui.application import run_window

    return run_window()


if __name__ == "__main__":
    sys.exit(main())

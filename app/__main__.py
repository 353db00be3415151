"""Start: without an argument the window, otherwise the command line."""

from __future__ import annotations

import sys

from app.display import has_display


def main() -> int:
    """Exit status of the program: 0 fine, 1 something failed, 2 used wrongly.

    Where there is no display for the window its main job is done in the terminal.
    """
    arguments = sys.argv[1:]
    if arguments or not has_display():
        from app.cli.main import run_command_line

        return run_command_line(arguments or ["demo"])
    from app.ui.application import run_window

    return run_window()


if __name__ == "__main__":
    sys.exit(main())

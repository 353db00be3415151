"""Start: without an argument the window, otherwise the command line."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def main() -> int:
    """Exit status of the program: 0 fine, 1 something failed, 2 used wrongly, 130 interrupted.

    Where there is no display for the window its main job is done in the terminal.
    """
    try:
        _open_standard_streams()
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # before the command line or the window took charge of it
        return _INTERRUPTED


def _run(arguments: list[str]) -> int:
    # Imported here, so that Ctrl-C during an import ends in `main`.
    from app.display import has_display

    if arguments or not has_display():
        from app.cli.main import run_command_line

        return run_command_line(arguments or ["demo"])
    from app.ui.application import run_window

    return run_window()


def _open_standard_streams() -> None:
    """Put the null device where the caller closed a standard stream.

    Otherwise the next socket or file that we open gets that number, and is overwritten when a child is started.
    """
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            if opened == descriptor:
                os.set_inheritable(descriptor, True)
            else:
                os.dup2(opened, descriptor)
                os.close(opened)
        if getattr(sys, name) is None:
            stream = open(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


if __name__ == "__main__":
    sys.exit(main())

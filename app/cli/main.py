"""The command line, `dyno`. Exit status: 0 fine, 1 a photo or a lane failed, 2 used wrongly, 130 interrupted."""

from __future__ import annotations

import contextlib
import errno
import gettext
import importlib
import logging
import os
import sys

import click

from app import __version__, paths
from app.cli.command import in_current_language
from app.cli.complaint import say
from app.cli.rooms import Rooms
from app.errors import AppError, InternalError, storage_error
from app.i18n import DOMAIN, N_, _, language, use_language

log = logging.getLogger(__name__)

COMMANDS = {
    "classify": "classify",
    "race": "race",
    "models": "models",
    "import": "import_",
    "rename": "library",
    "remove": "library",
    "restore": "library",
    "inspect": "inspect",
    "export": "export",
    "verify": "verify",
    "profile": "profile",
    "doctor": "doctor",
    "demo": "demo",
}
"""Name -> the file of this package with a click command of that name in it; in the order of the help."""

FAILED = 1
USED_WRONGLY = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
NOBODY_READS = 141  # 128 + SIGPIPE, the same

_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""How writing to a full or broken device fails; where it was a file of ours, its name is in the error."""


class Dyno(click.Group):
    """The group of all commands; a command's file is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"app.cli.{COMMANDS[cmd_name]}")
        # `import` is no name that Python allows.
        return in_current_language(getattr(module, "import_" if cmd_name == "import" else cmd_name))


_dyno = Dyno(
    name="dyno",
    no_args_is_help=False,
    help=N_("Runs one Core ML model on every engine of this machine and shows how fast each one answers."),
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=lambda ctx, _option, wanted: _show_version(ctx) if wanted else None,
            help=N_("Show the version and exit."),
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def run_command_line(argv: list[str], rooms: Rooms | None = None) -> int:
    """Run the command that `argv` (without the program's name) spells; returns the exit status."""
    _speak()
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("DYNO_DEBUG") else logging.WARNING, format="dyno: %(message)s"
    )
    try:
        status = _invoke(argv, rooms or Rooms())
        sys.stdout.flush()
        return status
    except click.UsageError as error:
        say(_usage_sentence(error))
        return USED_WRONGLY
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return NOBODY_READS
    except OSError as error:
        if error.errno not in _NOT_WRITTEN or error.filename is not None:
            return _defect(error)
        _forget_output()
        say(str(storage_error(_("standard output"), error)))
        return FAILED
    except AppError as error:
        say(str(error))
        return FAILED
    except Exception as error:
        return _defect(error)


def _defect(error: Exception) -> int:
    log.debug("command line", exc_info=True)
    say(str(InternalError(cause=repr(error))))
    return FAILED


def _forget_output() -> None:
    """What is still buffered cannot be written at exit either; without this Python says so on standard error."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(argv: list[str], rooms: Rooms) -> int:
    # Not Group.main: that handles interruptions and closed pipes in a way of its own.
    try:
        with in_current_language(_dyno).make_context("dyno", list(argv), obj=rooms) as context:
            return int(context.command.invoke(context) or 0)
    except click.exceptions.Exit as end:  # after --help and --version
        return end.exit_code


def _speak() -> None:
    """Use the user's language, for click's own words too, and never fail on a letter that the terminal lacks."""
    folder = paths.resource("locale")
    use_language("system", folder)
    # click asks gettext's global domain, which goes by the environment.
    gettext.bindtextdomain(DOMAIN, str(folder))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _usage_sentence(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "dyno"
    sentence = error.format_message().rstrip(".。")
    return _("{sentence}. “{command} --help” shows how it is used.").format(sentence=sentence, command=command)


def _show_version(ctx: click.Context) -> None:
    click.echo(f"dyno {__version__}")
    ctx.exit()

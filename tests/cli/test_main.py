"""The program as a whole: help, languages, ends, and what it must not import."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from app import __version__, paths
from app.cli.main import COMMANDS, run_command_line
from app.i18n import use_language
from tests.cli.stand_in_rooms import StandInRooms

ROOT = Path(__file__).parents[2]


def dyno(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )


def last_line(code):
    """Of what a new interpreter prints that runs `code`."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()[-1]


def test_help_names_every_command(capfd):
    assert run_command_line(["--help"]) == 0
    out = capfd.readouterr().out
    assert all(f"\n  {command} " in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_examples(command, capfd):
    assert run_command_line([command, "--help"]) == 0
    out = capfd.readouterr().out
    assert "Examples:" in out
    assert f"  dyno {command}" in out


def test_version(capfd):
    assert run_command_line(["--version"]) == 0
    assert capfd.readouterr().out == f"dyno {__version__}\n"


def test_unknown_command_is_wrong_use(capfd):
    assert run_command_line(["clasify"]) == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "'clasify'" in err


def test_no_command_is_wrong_use(capfd):
    assert run_command_line([]) == 2
    assert capfd.readouterr().err.count("\n") <= 1


def test_help_imports_neither_qt_nor_the_runtimes_nor_what_is_slow():
    code = "import sys; from app.cli.main import run_command_line as run; run(['classify', '--help']); run(['--help']);"
    code += "print([name for name in ('PySide6', 'mlx', 'coremltools', 'numpy', 'rich', 'PIL') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_commands_import_neither_qt_nor_the_runtimes():
    code = "import importlib, sys; from app.cli.main import COMMANDS;"
    code += "names = [*COMMANDS.values(), 'answers', 'race_table', 'race_progress', 'health', 'screen'];"
    code += "[importlib.import_module('app.cli.' + name) for name in names];"
    code += "print([name for name in ('PySide6', 'mlx', 'coremltools') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["models", "--json"], ["--help"]])
def test_full_standard_output_is_told_as_what_it_is(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "standard output" in done.stderr
    assert "internal" not in done.stderr


def test_reader_that_goes_away_is_no_error():
    """Standard output is a pipe that nobody reads any more."""
    program = subprocess.Popen(
        [sys.executable, "-m", "app", "models", "--json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    program.stdout.close()
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait(60) == 141


def test_letters_that_the_terminal_lacks_are_replaced():
    done = dyno("models", env={"PYTHONIOENCODING": "ascii", "LANGUAGE": "en"})
    assert done.returncode == 0
    assert "EfficientNet-Lite0" in done.stdout


def test_defect_is_one_line_without_a_traceback(capfd):
    class Broken(StandInRooms):
        def models(self):
            raise ZeroDivisionError("a defect")

    assert run_command_line(["models"], Broken()) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "a defect" in err


def test_interruption_is_130_and_silent(capfd):
    class Interrupted(StandInRooms):
        def models(self):
            raise KeyboardInterrupt

    assert run_command_line(["models"], Interrupted()) == 130
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


@pytest.fixture
def chinese(tmp_path, monkeypatch):
    """A catalogue of the tests' own that translates some sentences of ours and of click's."""
    catalogue = Catalog(locale="zh_TW")
    catalogue.add("Usage:", "用法:")
    catalogue.add("model", "模型")
    catalogue.add("The models that -m understands by name.", "可用名稱指定的模型。")
    catalogue.add("No such option {name!r}.", "沒有 {name!r} 這個選項。")
    folder = tmp_path / "locale" / "zh_TW" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "dyno.mo", "wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(paths, "resources_folder", lambda: tmp_path)
    monkeypatch.setenv("LANGUAGE", "zh_TW")
    yield
    monkeypatch.setenv("LANGUAGE", "en")
    use_language("en", tmp_path)


@pytest.mark.usefixtures("chinese")
def test_help_and_tables_are_in_the_users_language(capfd):
    run_command_line(["--help"])
    assert run_command_line(["models"], StandInRooms()) == 0
    out = capfd.readouterr().out
    assert "用法: dyno" in out
    assert "可用名稱指定的模型。" in out
    assert "模型" in out


@pytest.mark.usefixtures("chinese")
def test_clicks_own_sentences_too(capfd):
    assert run_command_line(["models", "--x"]) == 2
    assert "沒有 '--x' 這個選項" in capfd.readouterr().err


@pytest.mark.usefixtures("chinese")
def test_keys_of_json_are_never_translated(capfd):
    assert run_command_line(["models", "--json"], StandInRooms()) == 0
    assert '"name"' in capfd.readouterr().out

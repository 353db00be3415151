"""A child process starts with our code and nobody else's."""

import subprocess
import sys

import pytest

from app.engine.child import child_environment, describe_exit, module_command


def test_a_folder_called_app_in_the_working_directory_does_not_get_in(tmp_path):
    engine = tmp_path / "app" / "engine"
    engine.mkdir(parents=True)
    for file in (tmp_path / "app" / "__init__.py", engine / "__init__.py", engine / "host.py"):
        file.write_text("print('an impostor')")
    done = subprocess.run(
        [*module_command("app.engine.host"), "--help"],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "--ring-fd" in done.stdout


def test_the_environment_of_a_bundled_interpreter_stays(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/Applications/Silicon Dyno.app/Contents/Resources")
    monkeypatch.setenv("PYTHONPATH", "/Applications/Silicon Dyno.app/Contents/Resources")
    environment = child_environment({"OPENBLAS_NUM_THREADS": "1"})
    assert environment["PYTHONHOME"] == "/Applications/Silicon Dyno.app/Contents/Resources"
    assert environment["PYTHONPATH"].endswith(":/Applications/Silicon Dyno.app/Contents/Resources")
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_a_child_is_not_kept_alive_for_inspection(monkeypatch):
    monkeypatch.setenv("PYTHONINSPECT", "1")
    done = subprocess.run(
        [sys.executable, "-c", "print('done')"],
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    assert done.returncode == 0
    assert "PYTHONINSPECT" not in child_environment()


@pytest.mark.parametrize(("code", "how"), [(0, "exit status 0"), (-11, "signal SIGSEGV"), (-63, "signal 63")])
def test_an_exit_is_described(code, how):
    assert describe_exit(code) == how

"""The rules of app/ARCHITECTURE.md that a program can check."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = ("app", "packaging", "tests")

LONGEST_FILE = 400
LONGER = {
    "tests/engine/test_client.py": "one life of an engine process after the other, all on one stand-in",
    "tests/ui/charts/test_chart_area.py": "the same three charts, fed, drawn and touched in one window",
}
"""Files that may be longer, and why."""

EMPTY_NAMES = re.compile(r"^(utils?|helpers?|common|misc|shared|base)$")
EMPTY_CLASS_NAMES = re.compile(r"(Manager|Factory|Handler|Helper|Utils?)$")

ALLOWED_IN = {
    "PySide6": ("app.ui.",),
    "pyqtgraph": ("app.ui.",),
    "mlx": ("app.compiler.", "app.engine.mlx_session", "app.engine.probe_child"),
    "coremltools": ("app.compiler.", "app.library.", "app.engine.coreml_session", "app.engine.probe_child"),
}
"""Outside package -> our modules that may import it. The probe's child asks both runtimes in a process of its own."""


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """The outside packages that a file imports, wherever in it, except for type checkers only."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in for_types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in the project's folder; Qt needs no screen there."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110
    )


def test_rooms_import_downwards():
    done = run_python("import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ALLOWED_IN)
def test_each_framework_stays_in_its_rooms(package):
    strangers = [
        module_of(path)
        for path in python_files("app")
        if package in imported(path) and not f"{module_of(path)}.".startswith(ALLOWED_IN[package])
    ]
    assert strangers == []


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("app.ui", ("mlx", "coremltools")),
        ("app.cli", ("PySide6", "pyqtgraph", "mlx", "coremltools")),
        ("app.bench", ("PySide6", "mlx", "coremltools")),
        ("app.imaging", ("PySide6", "mlx", "coremltools")),
        ("app.machine", ("PySide6", "mlx", "coremltools")),
    ],
)
def test_importing_a_whole_room_does_not_load(room, forbidden):
    done = run_python(
        f"""if True:
        import importlib, pkgutil, sys
        room = importlib.import_module({room!r})
        names = [found.name for found in pkgutil.walk_packages(room.__path__, room.__name__ + ".")]
        assert names, "the room is empty"
        for name in names:
            importlib.import_module(name)
        print([name for name in {forbidden!r} if name in sys.modules])
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_no_file_is_long_without_a_reason():
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*FOLDERS)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE and name not in LONGER} == {}


def test_the_exceptions_for_long_files_are_still_needed():
    for name in LONGER:
        assert len((ROOT / name).read_text("utf-8").splitlines()) > LONGEST_FILE, name


def test_files_and_folders_are_named_after_what_they_do():
    parts = {part for path in python_files(*FOLDERS) for part in path.relative_to(ROOT).with_suffix("").parts}
    assert [part for part in parts if EMPTY_NAMES.match(part.removeprefix("test_"))] == []


def test_classes_are_named_after_what_they_are():
    named = [
        f"{name_of(path)}: {node.name}"
        for path in python_files("app", "packaging")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and EMPTY_CLASS_NAMES.search(node.name)
    ]
    assert named == []


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(path)
        for path in python_files("app", "packaging")
        if (source := path.read_text("utf-8")).strip() and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == []


def test_nothing_is_left_for_later():
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    assert [name_of(path) for path in python_files(*FOLDERS) if mark.search(path.read_text("utf-8"))] == []


def test_every_package_of_the_application_is_a_real_one():
    # py2app and setuptools leave out folders without it.
    folders = {path.parent for path in python_files("app")}
    assert [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_resources_and_packaging_are_no_packages():
    # An importable `packaging` of ours would hide the installed one, which setuptools and coremltools import.
    assert list((ROOT / "resources").rglob("__init__.py")) == []
    assert list((ROOT / "packaging").rglob("__init__.py")) == []


def test_tests_are_no_packages():
    # They are imported by their path, so that two rooms may have a test file of the same name.
    assert list((ROOT / "tests").rglob("__init__.py")) == []

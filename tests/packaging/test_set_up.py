"""The set-up installs exactly what pyproject.toml pins, and nothing twice."""

import importlib.util
import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

spec = importlib.util.spec_from_file_location("set_up", ROOT / "packaging" / "set_up.py")
assert spec
assert spec.loader
set_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(set_up)


def test_every_version_is_pinned():
    lines = [
        *PROJECT["project"]["dependencies"],
        *chain.from_iterable(PROJECT["project"]["optional-dependencies"].values()),
        *PROJECT["build-system"]["requires"],
        *PROJECT["tool"]["dyno"]["constraints"],
    ]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*( ?;.*)?", line), line


def test_the_back_end_of_mlx_has_the_version_of_mlx():
    versions = {line.partition("==")[0]: line.partition("==")[2] for line in PROJECT["project"]["dependencies"]}
    for extra, package in set_up.BACK_ENDS.items():
        assert PROJECT["project"]["optional-dependencies"][extra] == [f"{package}=={versions['mlx']}"]


def test_extras_add_to_the_program_or_stand_alone():
    together = set_up.wanted_packages(PROJECT, ["dev", "cpu"], alone=False)
    assert set(PROJECT["project"]["dependencies"]) <= set(together)
    assert "mlx-cpu==0.32.4" in together
    alone = set_up.wanted_packages(PROJECT, ["models"], alone=True)
    assert not any(line.startswith("PySide6") for line in alone)


def test_every_installed_distribution_of_this_environment_is_pinned():
    # Whatever a direct dependency starts to bring along must be held still too.
    from importlib.metadata import distributions

    pinned = {re.split(r"[=;]", line)[0].lower().replace("_", "-") for line in set_up_lines()}
    own = {"pip", "setuptools", "silicon-dyno", "wheel"}
    installed = {d.metadata["Name"].lower().replace("_", "-") for d in distributions()}
    assert installed - own <= pinned


def set_up_lines() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"]
    return PROJECT["project"]["dependencies"] + extras["dev"] + extras["cpu"] + PROJECT["tool"]["dyno"]["constraints"]


def test_debian_packages_are_named_once_with_a_known_need():
    rows = [
        line.split()
        for line in (ROOT / "packaging" / "debian.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert all(need in ("run", "test") for _, need in rows)
    assert len({name for name, _ in rows}) == len(rows)

"""What `dyno doctor` looks at: targets, versions, folders, resources; and what is wrong with them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from app import paths
from app.cli.rooms import Rooms
from app.cli.versions import installed_versions
from app.engine.targets import TARGETS
from app.errors import AppError
from app.i18n import LANGUAGES, N_, _

LEAST_FREE_BYTES = 200_000_000
"""A compiled model of the built-in kind takes a few tens of megabytes; below this the next ones may not fit."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that keeps the program from its work."""

    what: str
    advice: str


class TargetHealth(msgspec.Struct, frozen=True, kw_only=True):
    target: str
    name: str
    available: bool
    reason: str | None
    """Why it is not available."""
    detail: str | None
    """The device, library and version behind it, as the runtime tells it."""


class FolderHealth(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    size_bytes: int
    free_bytes: int | None
    """Room left on its disk."""
    writable: bool


class ResourceHealth(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    path: str
    count: int
    """Files that should be there and are."""
    missing: tuple[str, ...]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    machine: dict[str, Any]
    """Fields of app.machine.facts.Machine."""
    versions: dict[str, str]
    targets: tuple[TargetHealth, ...]
    folders: dict[str, FolderHealth]
    resources: tuple[ResourceHealth, ...]
    problems: tuple[Problem, ...]


def examine(rooms: Rooms) -> Health:
    """The state of this installation. Starts a child process that imports the runtimes; takes a second or two."""
    problems: list[Problem] = []
    blas, why_slow = rooms.cpu_library()
    if why_slow is not None:
        advice = _("On Debian and Ubuntu: apt install libopenblas0.")
        problems.append(Problem(what=_("MLX on the CPU is slow: {reason}.").format(reason=_(why_slow)), advice=advice))
    targets = _targets(rooms, problems, blas)
    folders = {"cache": folder_health(paths.cache_folder()), "data": folder_health(paths.data_folder())}
    resources = (_models(rooms, problems), _samples(), _labels(), _languages())
    return Health(
        machine=msgspec.to_builtins(rooms.machine()),
        versions=installed_versions(),
        targets=targets,
        folders=folders,
        resources=resources,
        problems=(*problems, *_about_folders(folders), *_about_resources(resources)),
    )


def _targets(rooms: Rooms, problems: list[Problem], blas: str) -> tuple[TargetHealth, ...]:
    try:
        states = rooms.fresh_target_states()
    except AppError as error:
        problems.append(Problem(what=str(error), advice=_("Run “make setup” again.")))
        return ()
    if not any(state.available for state in states):
        problems.append(
            Problem(
                what=_("No target is available."),
                advice=_("Run “make setup” again; the reasons are beside the targets."),
            )
        )
    return tuple(
        TargetHealth(
            target=state.target.id,
            name=state.target.shown_name,
            available=state.available,
            reason=_(state.reason) if state.reason else None,
            detail=blas if state.available and state.target.id == "mlx-cpu" else state.detail,
        )
        for state in sorted(states, key=lambda state: TARGETS.index(state.target))
    )


def folder_health(folder: Path) -> FolderHealth:
    """Size of the folder, and whether it can be written to; a folder that is not there yet is judged by its parent."""
    existing, reached = _nearest(folder)
    try:
        free_bytes: int | None = shutil.disk_usage(existing).free
    except OSError:
        free_bytes = None
    return FolderHealth(
        path=str(folder),
        size_bytes=_size_bytes(folder),
        free_bytes=free_bytes,
        writable=reached and _is_writable(existing),
    )


def _nearest(folder: Path) -> tuple[Path, bool]:
    """The folder or the nearest parent that is there, and whether all below it could be asked for."""
    reached = True
    for one in (folder, *folder.parents):
        try:
            if one.exists():
                return one, reached
        except OSError:
            reached = False
    return Path(folder.anchor), False


def _size_bytes(folder: Path) -> int:
    """Bytes of all files below; one that vanishes meanwhile counts nothing."""
    total = 0
    for parent, _folders, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(os.path.join(parent, file)).st_size
            except OSError:
                continue
    return total


def _is_writable(folder: Path) -> bool:
    """Whether a file with a little in it can really be written there; permissions alone know nothing of a full disk."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"dyno" * 1024)
        return True
    except OSError:
        return False


def _models(rooms: Rooms, problems: list[Problem]) -> ResourceHealth:
    folder = paths.resource("models")
    try:
        cards = [card for card in rooms.models() if card.built_in]
    except AppError as error:
        problems.append(Problem(what=str(error), advice=_("Install the program again.")))
        cards = []
    missing = tuple(card.path.name for card in cards if not card.path.exists())
    return ResourceHealth(name=N_("models"), path=str(folder), count=len(cards) - len(missing), missing=missing)


def _samples() -> ResourceHealth:
    """The list of the photos has to be there too, but is no photo."""
    listed = paths.resource("samples", "samples.json")
    found = _files_health(N_("sample photos"), paths.resource("samples"), _named_in(listed))
    return msgspec.structs.replace(found, count=found.count - listed.is_file())


def _named_in(list_file: Path) -> list[str]:
    try:
        return ["samples.json", *(row["file"] for row in json.loads(list_file.read_text("utf-8"))["samples"])]
    except (OSError, ValueError, KeyError, TypeError):
        return ["samples.json"]


def _labels() -> ResourceHealth:
    return _files_health(N_("labels"), paths.resource("labels"), ["imagenet.json", "imagenet.zh_TW.json"])


def _languages() -> ResourceHealth:
    catalogues = [f"{code}/LC_MESSAGES/dyno.mo" for code in LANGUAGES if code != "en"]
    return _files_health(N_("languages"), paths.resource("locale"), catalogues)


def _files_health(name: str, folder: Path, wanted: list[str]) -> ResourceHealth:
    missing = tuple(one for one in wanted if not (folder / one).is_file())
    return ResourceHealth(name=name, path=str(folder), count=len(wanted) - len(missing), missing=missing)


def _about_folders(folders: dict[str, FolderHealth]) -> list[Problem]:
    advice = {
        "cache": _("Every start will be slow. Free some space, or set DYNO_CACHE_DIR to another folder."),
        "data": _("Settings and added models cannot be kept. Free some space, or set DYNO_DATA_DIR to another folder."),
    }
    found = []
    for name, folder in folders.items():
        if not folder.writable:
            found.append(
                Problem(what=_("“{path}” cannot be written to.").format(path=folder.path), advice=advice[name])
            )
        elif folder.free_bytes is not None and folder.free_bytes < LEAST_FREE_BYTES:
            found.append(
                Problem(what=_("There is little room left for “{path}”.").format(path=folder.path), advice=advice[name])
            )
    return found


def _about_resources(resources: tuple[ResourceHealth, ...]) -> list[Problem]:
    return [
        Problem(
            what=_("“{path}” lacks {missing}.").format(path=one.path, missing=", ".join(one.missing)),
            advice=_("Install the program again."),
        )
        for one in resources
        if one.missing
    ]

"""Everything that can go wrong and is somebody's business.

AppError
├── PhotoError        a photo cannot be used
│   ├── PhotoMissing, PhotoUnreadable, PhotoTooLarge, NoPhotoInFolder
├── ModelError        a model file cannot be used, whatever the engine
│   ├── ModelMissing, ModelAmbiguous, ModelUnreadable, ModelHasNoImageInput, UnsupportedModel, UnsupportedOps,
│   │   NameTaken, ModelCrashes
├── EngineError       a lane cannot run or stopped running
│   ├── TargetUnavailable, UnknownTarget, EngineDied, EngineSilent, EngineClosed, EngineRefused, EngineOutOfMemory,
│   │   NoNumbers
├── StorageError      a file cannot be written
│   ├── DiskFull
├── Cancelled         somebody changed their mind
└── InternalError     a defect of ours
    └── BrokenFrame

An error carries fields; its sentence says what, which, and what next. `str(error)` is that sentence in the current
language. An error crosses from the engine process to the window as its class name and its fields (`to_wire`,
`from_wire`), so that it is translated where it is read.
"""

from __future__ import annotations

import errno
import os
from typing import Any, ClassVar

from app.i18n import N_, _
from app.visible import shortened, visible


class AppError(Exception):
    """Base of every error that is shown to a person. `fields` fill the placeholders of `sentence`."""

    sentence: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **fields: Any) -> None:
        super().__init__()
        self.fields = fields

    def __str__(self) -> str:
        return _(type(self).sentence).format_map(_Shown(self.fields))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.fields.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (from_wire, to_wire(self))


_LETTERS, _ITEMS = 1000, 20
"""How much of a field a sentence shows; the field itself keeps everything."""


class _Shown(dict[str, Any]):
    """Field values as text; a tuple is joined by commas, a missing field shows its name.

    Control characters are written out, for what a field holds may come from a stranger's file.
    """

    def __getitem__(self, key: str) -> str:
        value = self.get(key, "{" + key + "}")
        if not isinstance(value, tuple | list):
            return _fit(value)
        shown = [_fit(one) for one in value[:_ITEMS]]
        if len(value) > _ITEMS:
            shown.append(_("and {count} more").format(count=f"{len(value) - _ITEMS:,}"))
        return ", ".join(shown)


def _fit(value: Any) -> str:
    return shortened(visible(str(value)), _LETTERS)


class PhotoError(AppError):
    """A photo cannot be used. Fields: `photo` (its name)."""


class PhotoMissing(PhotoError):
    sentence = N_("“{photo}” is not there any more. Choose another photo.")


class PhotoUnreadable(PhotoError):
    """Fields: `photo`, `cause`."""

    sentence = N_("“{photo}” cannot be read as a picture ({cause}). Choose another photo.")


class PhotoTooLarge(PhotoError):
    """Fields: `photo`, `width`, `height`, `limit_megapixels`."""

    sentence = N_(
        "“{photo}” has {width} × {height} pixels, more than the {limit_megapixels} megapixels that are read at once. "
        "Choose a smaller version of it."
    )


class NoPhotoInFolder(PhotoError):
    """Fields: `photo` (the folder's name)."""

    sentence = N_("The folder “{photo}” holds no picture. Drop a folder with photos or a single photo.")


class ModelError(AppError):
    """A model file cannot be used, whatever the engine.

    Fields: `model`; `cause`: an N_ text or a foreign one; `details`: what fills the placeholders of an N_ cause.
    """

    @property
    def cause(self) -> str:
        """The cause alone, in the current language; empty when there is none."""
        cause, details = self.fields.get("cause"), self.fields.get("details")
        text = _(cause) if cause else ""
        # Only with details: a foreign text may hold braces of its own.
        return text.format_map(_Shown(details)) if details else text

    def __str__(self) -> str:
        return _(type(self).sentence).format_map(_Shown({**self.fields, "cause": self.cause}))


class ModelMissing(ModelError):
    """Fields: `model`, `known` (names that would work, or none where only a path was possible)."""

    sentence = N_("There is no model “{model}”. Choose one of: {known}; or give the path of a .mlpackage or .mlmodel.")
    without_names: ClassVar[str] = N_("There is no model “{model}”. Give the path of a .mlpackage or .mlmodel.")

    def __str__(self) -> str:
        known = self.fields.get("known", ("{known}",))
        return super().__str__() if known else _(self.without_names).format_map(_Shown(self.fields))


class ModelAmbiguous(ModelError):
    """Fields: `model` (what was asked for), `matches` (ids that it could mean)."""

    sentence = N_("“{model}” could be any of: {matches}. Write more of the name.")


class ModelUnreadable(ModelError):
    """Fields: `model`, `cause`."""

    sentence = N_("“{model}” cannot be read as a Core ML model ({cause}). Copy or export it again.")


class ModelHasNoImageInput(ModelError):
    """Fields: `model`, `inputs`."""

    sentence = N_(
        "“{model}” takes {inputs} and no image, so it cannot classify a photo. Choose a model with an image input."
    )


class UnsupportedModel(ModelError):
    """Fields: `model`, `cause`."""

    sentence = N_("“{model}” cannot be used here: {cause}. Choose another model.")


class UnsupportedOps(ModelError):
    """Fields: `model`, `ops`."""

    sentence = N_("“{model}” uses {ops}, which MLX cannot run yet. Choose a Core ML target.")


class NameTaken(ModelError):
    """Fields: `name`."""

    sentence = N_(
        "“{name}” cannot be the name of a model: it is empty, taken or looks like a path. Choose another one."
    )


class ModelCrashes(ModelError):
    """Fields: `model`, `how` ("signal SIGKILL")."""

    sentence = N_("“{model}” ended the process that read it ({how}). Choose another model, and report this one.")


class EngineError(AppError):
    """A lane cannot run or stopped running. Fields: `target` (its shown name)."""


class UnknownTarget(EngineError):
    """Fields: `target`, `known`."""

    sentence = N_("There is no target “{target}”. Choose one of: {known}.")


class TargetUnavailable(EngineError):
    """Fields: `target`, `reason` (already a sentence part in the reader's language, or an N_ text)."""

    sentence = N_("{target} is not available: {reason}. Choose another target.")

    def __str__(self) -> str:
        fields = {**self.fields, "reason": _(str(self.fields.get("reason", "")))}
        return _(type(self).sentence).format_map(_Shown(fields))


class EngineDied(EngineError):
    """Fields: `target`, `how` ("signal SIGKILL", "exit status 1"), `last_words` (end of its error output or "")."""

    sentence = N_("The engine process of {target} ended unexpectedly ({how}). Restart it to go on.")


class EngineSilent(EngineError):
    """Fields: `target`, `seconds`."""

    sentence = N_("{target} did not answer for {seconds} s and was stopped. Restart it to go on.")


class EngineClosed(EngineError):
    """Asked of an engine that was closed on purpose. Fields: `target`."""

    sentence = N_("{target} was closed before it answered. Start it again to go on.")


class EngineRefused(EngineError):
    """The framework below refused. Fields: `target`, `model`, `cause`."""

    sentence = N_("{target} could not run “{model}” ({cause}). Try another target.")


class EngineOutOfMemory(EngineError):
    """Fields: `target`, `model`."""

    sentence = N_("{target} has not enough memory for “{model}”. Close other programs or choose a smaller model.")


class NoNumbers(EngineError):
    """The probabilities are NaN or infinite. Fields: `target`, `model`."""

    sentence = N_(
        "{target} gives no numbers for “{model}” but NaN or infinity. Try another precision or target; if none helps, "
        "the file is damaged."
    )


class StorageError(AppError):
    """Fields: `path`, `cause`."""

    sentence = N_("“{path}” cannot be written ({cause}). Choose another place.")


class DiskFull(StorageError):
    """Fields: `path`, `cause`."""

    sentence = N_("“{path}” cannot be written ({cause}). Free some space or choose another place.")


def storage_error(path: str | os.PathLike[str], error: OSError) -> StorageError:
    """What the system says about writing `path`, as an error of ours."""
    kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
    return kind(path=str(path), cause=error.strerror or str(error))


class Cancelled(AppError):
    """What was asked for was cancelled by the person who asked."""

    sentence = N_("It was cancelled. Ask again to have it.")


class InternalError(AppError):
    """A defect of ours. Fields: `cause`."""

    sentence = N_("An internal error occurred ({cause}). Please report it with the log.")


class BrokenFrame(InternalError):
    """What an engine process and its client say to each other is not understood. Fields: `cause`."""

    sentence = N_("An engine process sent something that is not understood ({cause}). Restart it, and report this.")


def to_wire(error: AppError) -> tuple[str, dict[str, Any]]:
    """Class name and fields, from which `from_wire` makes an equal error."""
    return type(error).__name__, dict(error.fields)


def from_wire(name: str, fields: dict[str, Any]) -> AppError:
    """The error that `to_wire` described; an unknown name becomes an `InternalError`."""
    for kind in _family(AppError):
        if kind.__name__ == name:
            return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
    return InternalError(cause=f"{name} {fields}")


def _family(kind: type[AppError]) -> list[type[AppError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]

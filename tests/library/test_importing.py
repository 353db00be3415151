"""Importing copies a model, looks into the copy, and leaves the library as it was when anything is wrong."""

import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.compiler.facts import Feature, ModelFacts
from app.compiler.inspection.report import Inspection, Obstacle, StoredWeights
from app.compiler.reading.package import open_package
from app.errors import Cancelled, DiskFull, ModelCrashes, ModelMissing, ModelUnreadable, UnsupportedModel
from app.library import importing, shelf
from app.library.catalog import find_model, models
from app.library.importing import import_model
from app.paths import resource


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def package(tmp_path):
    """A .mlpackage as far as files go."""
    path = tmp_path / "Cats.mlpackage"
    weights = path / "Data" / "com.apple.CoreML" / "weights"
    weights.mkdir(parents=True)
    (path / "Manifest.json").write_text(
        '{"itemInfoEntries": {"a": {"path": "com.apple.CoreML/model.mlmodel"}}, "rootModelIdentifier": "a"}'
    )
    (weights.parent / "model.mlmodel").write_bytes(b"specification")
    (weights / "weight.bin").write_bytes(b"w" * 5000)
    return path


IMAGE = Feature("image", "image", (1, 20, 28, 3), "uint8", "BGR")


@pytest.fixture(autouse=True)
def inspected(monkeypatch):
    """What looking into a model finds: inspected.found, changed by a test; inspected.error is raised instead."""

    class Inspected:
        inputs = (IMAGE,)
        obstacle = None
        error = None

        def __call__(self, path, function=None, *, cancel=None):
            if self.error:
                raise self.error
            opened = open_package(path)
            facts = ModelFacts(
                name=opened.name,
                digest=opened.digest,
                kind="mlProgram",
                specification=7,
                inputs=self.inputs,
                output_features=(),
                functions=("main",),
                left_out=(),
                probabilities=None,
                label=None,
                labels=(),
                size_bytes=opened.size_bytes,
                crop_fraction=0.875,
                interpolation="bicubic",
                metadata={},
            )
            weights = (StoredWeights("palettized 4 bit", 1, 100, 50),)
            return Inspection(facts, "main", (), (), weights, 100, 1, self.obstacle)

    stand_in = Inspected()
    monkeypatch.setattr(importing.inquiry, "inspect", stand_in)
    return stand_in


def nothing_is_left(data: Path) -> bool:
    return not list((data / "library").glob("*")) and not list((data / "library").glob(".arriving*"))


def test_a_package_is_copied_whole_and_listed(package):
    done = import_model(package)
    assert not done.was_there
    card = done.card
    assert (card.name, card.width, card.height, card.colour, card.weights) == (
        "Cats",
        28,
        20,
        "BGR",
        "palettized 4 bit",
    )
    assert (card.crop_fraction, card.interpolation, card.obstacles) == (0.875, "bicubic", ())
    assert open_package(card.path).digest == open_package(package).digest
    assert card in models()
    assert find_model("cats") == card


def test_the_original_may_go_afterwards(package):
    card = import_model(package).card
    (package / "Manifest.json").unlink()
    assert find_model("Cats") == card
    assert not card.missing


def test_importing_the_same_content_again_finds_it(package, tmp_path):
    card = import_model(package).card
    again = package.rename(tmp_path / "Other name.mlpackage")
    done = import_model(again)
    assert done.was_there
    assert done.card == card


def test_another_model_of_the_same_name_gets_a_number(package):
    import_model(package)
    (package / "Data" / "com.apple.CoreML" / "model.mlmodel").write_bytes(b"another one")
    assert import_model(package).card.name == "Cats 2"


def test_a_built_in_model_is_there_already(data):
    done = import_model(resource("models", "EfficientNet-Lite0-fp16.mlpackage"))
    assert done.was_there
    assert done.card.built_in
    assert nothing_is_left(data)


def test_progress_ends_with_all_bytes(package):
    seen = []
    import_model(package, on_progress=lambda *step: seen.append(step))
    done, total = seen[-1]
    assert done == total == open_package(package).size_bytes


def test_what_is_no_photo_model_is_kept_with_the_reason_for_every_runtime(package, inspected):
    inspected.inputs = (replace(IMAGE, name="x", kind="multiArray", shape=(1, 512), dtype="fp32", colour=None),)
    card = import_model(package).card
    assert {one.runtime for one in card.obstacles} == {"mlx", "coreml"}
    assert "512" in str(card.obstacles[0].reason)


def test_what_only_mlx_cannot_run_stays_open_to_core_ml(package, inspected):
    inspected.obstacle = Obstacle("UnsupportedOps", {"model": "Cats.mlpackage", "ops": ["gru"]}, "…")
    (obstacle,) = import_model(package).card.obstacles
    assert obstacle.runtime == "mlx"
    assert "gru" in str(obstacle.reason)


@pytest.mark.parametrize(
    "error", [ModelUnreadable(model="m", cause="c"), ModelCrashes(model="m", how="signal SIGSEGV")]
)
def test_a_model_that_cannot_be_read_leaves_nothing(package, inspected, data, error):
    inspected.error = error
    with pytest.raises(type(error)):
        import_model(package)
    assert nothing_is_left(data)


def test_cancelling_leaves_nothing(package, data):
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        import_model(package, on_progress=lambda *_step: cancel.set(), cancel=cancel)
    assert nothing_is_left(data)


def test_a_full_disk_leaves_nothing(package, data, monkeypatch):
    real = Path.open

    def full(self, mode="r", *rest, **more):
        if "w" in mode and self.name == "weight.bin":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DiskFull):
        import_model(package)
    assert nothing_is_left(data)


def test_a_file_that_changes_meanwhile_is_not_kept(package, data):
    def change(done, of):
        (package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin").write_bytes(b"x" * 5000)

    with pytest.raises(ModelUnreadable):
        import_model(package, on_progress=change)
    assert nothing_is_left(data)


def test_two_imports_at_once_end_with_one_model(package, inspected, monkeypatch):
    put = shelf.put

    def overtaken(arriving, page):
        monkeypatch.setattr(shelf, "put", put)
        import_model(package)
        return put(arriving, page)

    monkeypatch.setattr(shelf, "put", overtaken)
    assert import_model(package).was_there
    assert len(shelf.cards()) == 1


@pytest.mark.parametrize(("name", "error"), [("none.mlmodel", ModelMissing), ("photo.jpg", UnsupportedModel)])
def test_what_is_no_model_is_refused_before_anything_is_copied(tmp_path, data, name, error):
    if error is UnsupportedModel:
        (tmp_path / name).write_bytes(b"jpg")
    with pytest.raises(error):
        import_model(tmp_path / name)
    assert nothing_is_left(data)

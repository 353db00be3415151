"""Resources lie in the bundle or beside the program; caches and data can be moved by the environment."""

from pathlib import Path

from app import paths


def test_resources_lie_beside_the_program():
    assert paths.resource("models").parent == Path(paths.__file__).parent.parent / "resources"


def test_in_a_bundle_resources_lie_where_the_stub_says(monkeypatch):
    monkeypatch.setattr(paths.sys, "frozen", "macosx_app", raising=False)
    monkeypatch.setenv("RESOURCEPATH", "/Applications/Dyno.app/Contents/Resources")
    assert paths.resource("a", "b") == Path("/Applications/Dyno.app/Contents/Resources/resources/a/b")


def test_the_two_folders_can_be_moved_and_are_not_created(monkeypatch, tmp_path):
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "c"))
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "d"))
    assert paths.cache_folder("compiled") == tmp_path / "c" / "compiled"
    assert paths.data_folder() == tmp_path / "d"
    assert not list(tmp_path.iterdir())

"""Errors say what, which and what next, and survive the way from one process to another."""

import errno
import os
import pickle
import string

import pytest

from app import errors
from app.errors import AppError, EngineDied, InternalError, ModelMissing, TargetUnavailable, UnsupportedOps


def all_kinds() -> list[type[AppError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AppError)]


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.__name__)
def test_a_sentence_is_one_or_two_short_sentences_with_named_fields(kind):
    fields = [name for _, name, _, _ in string.Formatter().parse(kind.sentence) if name is not None]
    assert all(fields), "a placeholder without a name cannot be translated"
    assert kind.sentence[0].isupper() or kind.sentence[0] in "“{"
    assert kind.sentence.endswith(".")


def test_fields_fill_the_sentence_and_lists_are_joined():
    error = UnsupportedOps(model="net", ops=("crop", "nms"))
    assert str(error) == "“net” uses crop, nms, which MLX cannot run yet. Choose a Core ML target."


def test_control_characters_of_a_name_are_written_out():
    assert "“a\\x1b[2J\\n\\u202e”" in str(ModelMissing(model="a\x1b[2J\n\u202e", known=()))
    hostile = errors.ModelUnreadable(model="m", cause="the layer {layer}", details={"layer": "\x07"})
    assert "the layer \\x07" in str(hostile)


def test_a_sentence_stays_short_whatever_the_file_holds():
    sentence = str(UnsupportedOps(model="m" * 10_000, ops=tuple(map(str, range(100_000)))))
    assert len(sentence) < 1500
    assert "17, 18, 19, and 99,980 more" in sentence


def test_a_missing_field_shows_its_name_instead_of_failing():
    assert "{known}" in str(ModelMissing(model="x"))


@pytest.mark.parametrize("hostile", ["{0}", "{model.__class__}", "%s", "a{b", "}"])
def test_braces_in_a_file_name_are_only_text(hostile):
    assert hostile in str(ModelMissing(model=hostile, known=()))


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.__name__)
def test_an_error_crosses_the_wire_unchanged(kind):
    error = kind(target="MLX · GPU", model="m", photo="p", ops=("a", "b"))
    again = errors.from_wire(*errors.to_wire(error))
    assert type(again) is kind
    assert again.fields == error.fields
    assert str(again) == str(error)


def test_lists_from_the_wire_become_tuples_again():
    assert errors.from_wire("UnsupportedOps", {"model": "m", "ops": ["a"]}).fields["ops"] == ("a",)


def test_an_unknown_name_from_the_wire_becomes_an_internal_error():
    assert isinstance(errors.from_wire("Nonsense", {}), InternalError)


def test_an_error_can_be_pickled():
    error = EngineDied(target="MLX · CPU", how="signal SIGKILL", last_words="")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_reason_of_an_unavailable_target_is_translated_where_it_is_read(monkeypatch):
    monkeypatch.setattr(errors, "_", lambda text: {"Core ML needs macOS": "Core ML 需要 macOS"}.get(text, text))
    assert "Core ML 需要 macOS" in str(TargetUnavailable(target="Core ML · GPU", reason="Core ML needs macOS"))


@pytest.mark.parametrize(
    ("number", "space"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.ENOTDIR, False), (errno.EACCES, False)]
)
def test_only_a_full_disk_asks_for_space(number, space):
    said = str(errors.storage_error("/a/results.json", OSError(number, os.strerror(number))))
    assert f"“/a/results.json” cannot be written ({os.strerror(number)})" in said
    assert ("Free some space" in said) is space
    assert "hoose another place." in said


def test_a_missing_model_offers_names_only_where_there_are_some():
    assert "Choose one of: a, b;" in str(ModelMissing(model="x", known=("a", "b")))
    assert "Choose" not in str(ModelMissing(model="/nowhere/x.mlmodel", known=()))

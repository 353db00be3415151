"""Questions about a model are answered by a process of its own, whatever the file does to it."""

import os
import threading
import time

import pytest

from app.engine import inquiry
from app.engine.inquiry_child import Question
from app.errors import Cancelled, InternalError, ModelCrashes, ModelMissing, TargetUnavailable
from app.paths import resource

LITE0 = resource("models", "EfficientNet-Lite0-fp16.mlpackage")


@pytest.fixture
def played(monkeypatch):
    """played(code): the answering process runs this code instead; `stream` is where it writes."""

    def play(code):
        start = "import sys, os; stream = os.fdopen(int(sys.argv[-1]), 'wb', buffering=0)\n"
        monkeypatch.setattr(inquiry, "module_command", lambda _module: [os.sys.executable, "-c", start + code])

    return play


@pytest.mark.mlx
def test_what_a_model_holds():
    found = inquiry.inspect(LITE0)
    assert found.obstacle is None
    assert found.facts.image.width == 224
    assert found.facts.labels[0] == "tench, Tinca tinca"


@pytest.mark.mlx
def test_where_its_time_goes():
    rounds = []
    found = inquiry.profile(LITE0, "mlx-cpu", "fp32", rounds=2, on_round=lambda *step: rounds.append(step))
    assert rounds == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found.groups[0].ms > 0


def test_an_error_comes_back_as_itself(tmp_path):
    with pytest.raises(ModelMissing, match="none"):
        inquiry.inspect(tmp_path / "none.mlmodel")


def test_core_ml_cannot_be_profiled():
    with pytest.raises(TargetUnavailable):
        inquiry.profile(LITE0, "coreml-cpu", "stored")


def test_a_file_that_takes_its_process_down_is_named(played):
    played("os.kill(os.getpid(), 9)")
    with pytest.raises(ModelCrashes, match=r"EfficientNet.*SIGKILL"):
        inquiry.inspect(LITE0)


def test_an_end_without_an_answer_is_a_defect(played):
    played("pass")
    with pytest.raises(InternalError):
        inquiry.inspect(LITE0)


def test_cancelling_ends_the_process(played):
    played("stream.write(b'{\"progress\": [1, 2]}\\n'); import time; time.sleep(60)")
    cancel = threading.Event()
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        # The first word from the process says that it lives; from then on it would sleep.
        inquiry.profile(LITE0, "mlx-cpu", "fp32", on_round=lambda *_step: cancel.set(), cancel=cancel)
    assert time.monotonic() - begin < 20


def test_a_question_survives_the_way(played):
    played('stream.write(b\'{"error": ["InternalError", {"cause": \' + sys.stdin.buffer.read() + b\'}]}\\n\')')
    with pytest.raises(InternalError) as caught:
        inquiry.profile(LITE0, "mlx-gpu", "fp16", function="f", rounds=3)
    asked = Question(**caught.value.fields["cause"])
    assert (asked.kind, asked.target, asked.precision, asked.function, asked.rounds) == (
        "profile",
        "mlx-gpu",
        "fp16",
        "f",
        3,
    )


@pytest.mark.mlx
def test_whether_it_is_right():
    found = inquiry.verify(LITE0, "mlx-cpu", "fp32")
    assert found.agrees
    assert [one.name for one in found.outputs] == ["classLabel_probs"]

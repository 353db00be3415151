"""A pass takes the steps in order; a loop of them writes every sample and costs nothing beside."""

import gc
import threading
import time

import numpy as np
import pytest

from app.engine import loop
from app.engine.loop import Line, Pass, run_loop
from app.engine.messages import ImageInput, MemoryReading, ModelFacts, Run
from app.engine.ring import SampleReader, SampleWriter
from app.errors import UnsupportedModel
from app.imaging.crop import Crop


class Mirror:
    """A session whose classes are the means of the three colours of the first picture."""

    def __init__(self):
        self.batches = []

    def predict(self, batch_nhwc):
        self.batches.append(batch_nhwc.copy())
        return {"means": batch_nhwc.mean(axis=(1, 2)).astype(np.float16) / 256}, 5


def facts(**changes):
    fields = {
        "name": "mirror", "digest": "", "kind": "mlProgram", "specification": 7,
        "image": ImageInput(name="image", width=6, height=4, colour="RGB"), "outputs": ("means",),
        "probabilities": "means", "labels": ("red", "green", "blue"), "size_bytes": 1, "crop_fraction": 1.0,
        "interpolation": "bilinear", "metadata": {},
    }  # fmt: skip
    return ModelFacts(**(fields | changes))


def photo(red, green, blue):
    return np.full((40, 60, 3), (red, green, blue), np.uint8)


def a_run(warmup=0, samples=5, seconds=None):
    return Run(request=9, photo=1, crop="centre", mode="block", warmup=warmup, samples=samples, seconds=seconds)


def a_pass():
    return Pass({}, None, (), 1, 2, 4, time.perf_counter_ns())


@pytest.fixture
def samples():
    reader = SampleReader(1024)
    yield reader, SampleWriter(reader.fd)
    reader.close()


def test_a_pass_gives_the_model_its_size_and_answers_with_labels():
    session = Mirror()
    done = Line(session, facts(), 1).run(photo(10, 200, 30), Crop.CENTRE, top=2)
    assert session.batches[0].shape == (1, 4, 6, 3)
    assert [answer.label for answer in done.top] == ["green", "blue"]
    assert done.probabilities.dtype == np.float32
    assert done.engine_ns == 5
    assert done.total_ns >= done.prepare_ns > 0


def test_a_batch_is_the_photo_repeated():
    session = Mirror()
    Line(session, facts(), 3).run(photo(10, 200, 30), Crop.STRETCH)
    (batch,) = session.batches
    assert batch.shape == (3, 4, 6, 3)
    assert (batch == batch[0]).all()


@pytest.mark.parametrize(("colour", "dtype"), [("GRAYSCALE", np.uint8), ("GRAYSCALE_FLOAT16", np.float16)])
def test_a_grey_model_gets_the_luma_of_the_photo(colour, dtype):
    session = Mirror()
    grey = facts(image=ImageInput(name="image", width=6, height=4, colour=colour), probabilities=None)
    line = Line(session, grey, 2)
    line.first()
    line.run(photo(10, 200, 30), Crop.CENTRE)
    black, batch = session.batches
    assert batch.shape == black.shape == (2, 4, 6, 1)
    assert batch.dtype == dtype
    assert (batch == 124).all()  # 0.299 * 10 + 0.587 * 200 + 0.114 * 30 = 123.8
    assert not black.any()


def test_the_first_pass_finds_labels_that_do_not_fit():
    with pytest.raises(UnsupportedModel, match="2 labels for 3 classes"):
        Line(Mirror(), facts(labels=("red", "green")), 1).first()


def test_warm_up_is_marked_and_not_counted(samples):
    reader, writer = samples
    measured, stopped = run_loop(a_pass, a_run(warmup=3, samples=5), writer, threading.Event(), MemoryReading)
    assert (measured, stopped) == (5, False)
    assert reader.read()["warmup"].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("warmup", "expected"), [(0, 0), (4, 4)])
def test_a_run_may_be_nothing_but_warm_up(samples, warmup, expected):
    reader, writer = samples
    assert run_loop(a_pass, a_run(warmup, 0), writer, threading.Event(), MemoryReading) == (0, False)
    assert len(reader.read()) == expected


def test_stop_ends_the_loop_after_the_pass_in_flight(samples):
    reader, writer = samples
    stop = threading.Event()
    passes = []

    def third_one_is_stopped():
        passes.append(1)
        if len(passes) == 3:
            stop.set()
        return a_pass()

    assert run_loop(third_one_is_stopped, a_run(1, None), writer, stop, MemoryReading) == (2, True)
    assert len(reader.read()) == 3


def test_memory_is_read_at_most_so_often(samples, monkeypatch):
    reader, writer = samples
    monkeypatch.setattr(loop, "MEMORY_EVERY_NS", 10**15)
    run_loop(a_pass, a_run(0, 50), writer, threading.Event(), lambda: MemoryReading(footprint_bytes=7))
    assert reader.read()["footprint"].tolist() == [7] + [-1] * 49
    monkeypatch.setattr(loop, "MEMORY_EVERY_NS", 0)
    run_loop(a_pass, a_run(0, 50), writer, threading.Event(), lambda: MemoryReading(mlx_peak_bytes=0))
    again = reader.read()
    assert again["mlx_peak"].tolist() == [0] * 50, "0 bytes are a reading"
    assert set(again["footprint"]) == {-1}


def test_no_collection_comes_into_a_pass_and_the_collector_is_given_back(samples):
    _, writer = samples
    enabled = []

    def look():
        enabled.append(gc.isenabled())
        return a_pass()

    run_loop(look, a_run(0, 3), writer, threading.Event(), MemoryReading)
    assert enabled == [False] * 3
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_collector_is_given_back_after_a_failure_too(samples):
    _, writer = samples

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_loop(fail, a_run(), writer, threading.Event(), MemoryReading)
    assert gc.isenabled()

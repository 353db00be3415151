"""A client's engine process answers, fails, hangs and dies, and nothing is left of it."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from app.engine.client import EngineClient
from app.engine.messages import Classified, Failed, Loaded, RunFinished, RunStarted, Stage, Started
from app.errors import UnknownTarget
from app.imaging.crop import Crop
from app.paths import cache_folder


def wait_for(condition, seconds=20.0):
    """Poll until `condition()`; the condition is another process's state, of which nobody tells us."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.005)


def is_gone(pid):
    """No such process, not even a zombie."""
    return not psutil.pid_exists(pid)


# --- what it answers -------------------------------------------------------------------------------------------------


def test_loading_tells_the_process_the_stages_and_the_model(start):
    client, events = start()
    started, *stages, loaded = events.seen
    assert isinstance(started, Started)
    assert started.pid == client.pid
    assert started.versions["numpy"] == np.__version__
    assert [stage.name for stage in stages if isinstance(stage, Stage)] == ["reading", "first-inference"]
    assert isinstance(loaded, Loaded)
    assert loaded.facts.name == "well"
    assert loaded.first_inference_ms > 0
    assert loaded.memory.footprint_bytes == 1000


def test_a_photo_is_classified_and_the_best_answer_comes_first(start, grey):
    client, events = start()
    client.classify(grey(200), Crop.CENTRE, request=5, top=3)
    answer = events.next(Classified)
    assert answer.request == 5
    assert [a.label for a in answer.top] == ["label 7", "label 0", "label 1"]
    assert answer.top[0].probability == pytest.approx(0.91, abs=1e-3)
    probabilities = np.frombuffer(answer.probabilities, np.float32)
    assert probabilities.argmax() == 7
    assert answer.total_ms >= answer.prepare_ms + answer.engine_ms > 0
    assert answer.outputs is None


def test_all_outputs_come_when_they_are_wanted(start, grey):
    client, events = start(batch=2)
    client.classify(grey(100), Crop.STRETCH, request=1, outputs=True)
    outputs = events.next(Classified).outputs
    features = np.frombuffer(outputs["features"].data, outputs["features"].dtype).reshape(outputs["features"].shape)
    np.testing.assert_array_equal(features, np.full((2, 3), 100, np.float32))


def test_a_model_that_is_no_classifier_answers_without_labels(start, grey):
    client, events = start("no-classifier")
    client.classify(grey(1), Crop.CENTRE, request=1)
    answer = events.next(Classified)
    assert answer.top == ()
    assert answer.probabilities == b""


def test_a_large_photo_passes_whole(start):
    client, events = start()
    photo = np.zeros((4000, 4000, 3), np.uint8)
    photo[2000:] = 255
    client.classify(photo, Crop.STRETCH, request=1, outputs=True)
    features = np.frombuffer(events.next(Classified).outputs["features"].data, np.float32)
    assert features == pytest.approx([127.5] * 3, abs=8)


def test_a_read_only_photo_is_sent_once_and_a_writable_one_each_time(start, grey):
    client, events = start()
    fixed, changing = grey(10), grey(10).copy()
    photos = []
    for photo in (fixed, fixed, changing, changing, fixed):
        client.classify(photo, Crop.CENTRE, request=len(photos))
        photos.append(events.next(Classified).photo)
    assert photos == [1, 1, 2, 3, 4]


def test_a_writable_photo_may_be_changed_right_after_the_call(start):
    client, events = start()
    photo = np.full((2000, 2000, 3), 200, np.uint8)
    client.classify(photo, Crop.CENTRE, request=1)
    photo[:] = 0
    assert events.next(Classified).top[0].index == 7


@pytest.mark.parametrize("photo", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_photo_is_refused_at_the_call(start, photo):
    client, _ = start()
    with pytest.raises(ValueError, match="H×W×3"):
        client.classify(photo, Crop.CENTRE, request=1)


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_quick_run_has_ten_marked_warm_up_samples_and_a_hundred_others(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "quick", request=3)
    finished = events.next(RunFinished)
    assert (finished.request, finished.measured, finished.stopped) == (3, 100, False)
    samples = client.samples.read()
    assert samples["index"].tolist() == list(range(110))
    assert samples["warmup"].tolist() == [1] * 10 + [0] * 100
    assert set(samples["run"]) == {3}
    assert (samples["prepare_ns"] > 0).all()
    assert (samples["total_ns"] >= samples["prepare_ns"] + samples["engine_ns"]).all()
    assert (np.diff(samples["end_ns"]) > 0).all()


def test_memory_is_read_with_few_samples_and_marked_as_missing_with_the_others(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "quick", request=3)
    events.next(RunFinished)
    samples = client.samples.read()
    assert samples["footprint"][0] == 1000
    assert samples["mlx_active"][0] == 200
    assert (samples["mlx_cache"] == -1).all()
    assert (samples["footprint"] == -1).sum() >= 100


def test_a_live_run_goes_on_until_stop(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "live", request=1, warmup=0)
    events.next(RunStarted)
    wait_for(lambda: len(client.samples.read()) > 0)
    client.stop()
    finished = events.next(RunFinished)
    assert finished.stopped
    assert finished.measured > 0


def test_a_run_lasts_as_long_as_it_should(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "block", request=1, warmup=1, samples=1, seconds=0.2)
    events.next(RunFinished)
    ends = client.samples.read()["end_ns"]
    assert len(ends) > 2
    assert ends[-1] - ends[0] >= 0.2e9


def test_a_newer_request_ends_the_run_in_progress(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "live", request=1)
    events.next(RunStarted)
    client.classify(grey(200), Crop.CENTRE, request=2)
    assert events.next(RunFinished).stopped
    assert events.next(Classified).top[0].index == 7


def test_stop_reaches_a_run_that_has_not_begun(start, grey):
    client, events = start(wait=False)
    client.run(grey(50), Crop.CENTRE, "live", request=1)
    client.stop()
    assert events.next(RunFinished).measured == 0


def test_stop_without_a_run_changes_nothing(start, grey):
    client, events = start()
    client.stop()
    client.classify(grey(200), Crop.CENTRE, request=2)
    assert events.next(Classified).request == 2


def test_requests_before_loading_is_done_are_answered_after_it(start, grey):
    client, events = start(wait=False)
    client.classify(grey(200), Crop.CENTRE, request=1)
    assert events.next(Classified | Loaded).__class__ is Loaded
    assert events.next(Classified).request == 1


def test_two_clients_run_at_the_same_time(start, grey):
    (one, one_events), (two, two_events) = start(), start()
    for client, level in ((one, 10), (two, 200)):
        client.run(grey(level), Crop.CENTRE, "quick", request=level)
    assert one_events.next(RunFinished).request == 10
    assert two_events.next(RunFinished).request == 200
    assert len(one.samples.read()) == len(two.samples.read()) == 110


# --- failures of one request -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "error"), [("out-of-memory-once", "EngineOutOfMemory"), ("defect-once", "InternalError")]
)
def test_a_failed_request_is_told_and_the_next_one_works(start, grey, behaviour, error):
    client, events = start(behaviour)
    client.classify(grey(200), Crop.CENTRE, request=1)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (1, error)
    client.classify(grey(200), Crop.CENTRE, request=2)
    assert events.next(Classified).request == 2


def test_a_defect_is_told_with_its_cause(start, grey):
    client, events = start("defect-once")
    client.run(grey(200), Crop.CENTRE, "quick", request=1)
    assert "ZeroDivisionError('a defect')" in events.next(Failed).fields["cause"]


def test_an_unknown_crop_fails_the_request_only(start, grey):
    client, events = start()
    client.run(grey(200), "sideways", "quick", request=1)
    assert events.next(Failed).request == 1
    client.run(grey(200), Crop.FIT, "quick", request=2)
    assert events.next(RunFinished).request == 2


# --- failures of the lane --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("unreadable", "ModelUnreadable"),
        ("defect-while-loading", "InternalError"),
        ("too-few-labels", "UnsupportedModel"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told_once_and_the_process_ends(start, grey, behaviour, error):
    client, events = start(behaviour, wait=False)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (None, error)
    wait_for(lambda: is_gone(client.pid))
    client.classify(grey(1), Crop.CENTRE, request=9)
    assert events.next(Failed).request == 9
    client.close()
    assert events.rest() == []


def test_a_process_that_ends_while_loading_leaves_its_last_words(start):
    _, events = start("exits-while-loading", wait=False)
    failed = events.next(Failed)
    assert failed.error == "EngineDied"
    assert failed.fields["how"] == "exit status 7"
    assert "last words of a fake" in failed.fields["last_words"]


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [("kills-itself", "signal SIGKILL"), ("segfaults", "signal SIGSEGV"), ("exits", "exit status 3")],
)
def test_a_process_that_dies_at_work_fails_its_request_and_its_lane(start, grey, behaviour, how):
    client, events = start(behaviour)
    client.classify(grey(1), Crop.CENTRE, request=4)
    of_request, of_lane = events.next(Failed), events.next(Failed)
    assert (of_request.request, of_request.error) == (4, "EngineDied")
    assert (of_lane.request, of_lane.error, of_lane.fields["how"]) == (None, "EngineDied", how)
    assert is_gone(client.pid)


def test_a_run_that_is_killed_is_reported_within_a_second_and_leaves_no_zombie(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "live", request=1)
    events.next(RunStarted)
    wait_for(lambda: len(client.samples.read()) > 0)
    killed = time.monotonic()
    os.kill(client.pid, signal.SIGKILL)
    assert events.next(Failed).request == 1
    failed = events.next(Failed)
    assert time.monotonic() - killed < 1.0
    assert failed.fields["how"] == "signal SIGKILL"
    assert is_gone(client.pid)


def test_samples_of_a_killed_run_can_still_be_read(start, grey):
    client, events = start()
    client.run(grey(50), Crop.CENTRE, "live", request=1)
    events.next(RunStarted)
    wait_for(lambda: len(client.samples.read()) > 0)
    os.kill(client.pid, signal.SIGKILL)
    events.next(Failed)
    client.samples.read()
    client.close()
    assert client.samples.lost == 0
    assert len(client.samples.read()) == 0


def test_requests_to_a_dead_engine_fail(start, grey):
    client, events = start("kills-itself")
    client.classify(grey(1), Crop.CENTRE, request=1)
    assert [events.next(Failed).request, events.next(Failed).request] == [1, None]
    client.run(grey(1), Crop.CENTRE, "live", request=2)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (2, "EngineDied")
    client.stop()


def test_the_target_is_named_in_the_readers_language(start, grey, monkeypatch):
    monkeypatch.setattr("app.engine.targets._", lambda message: f"<{message}>")
    _, events = start("exits-while-loading", wait=False)
    assert events.next(Failed).fields["target"] == "MLX · <CPU>"


def test_an_engine_that_does_not_stop_is_killed_and_called_silent(start, grey):
    client, events = start("hangs")
    client.run(grey(1), Crop.CENTRE, "live", request=1)
    wait_for(cache_folder("hanging").exists)
    client.stop(grace_s=0.1)
    of_run, of_lane = events.next(Failed), events.next(Failed)
    assert (of_run.request, of_run.error) == (1, "EngineSilent")
    assert (of_lane.request, of_lane.error) == (None, "EngineSilent")
    assert of_lane.fields["seconds"] == 0.1
    assert is_gone(client.pid)


def test_a_newer_request_to_a_hanging_run_does_not_wait_for_ever(start, grey, monkeypatch):
    monkeypatch.setattr("app.engine.client.STOP_GRACE_S", 0.1)
    client, events = start("hangs")
    client.run(grey(1), Crop.CENTRE, "live", request=1)
    wait_for(cache_folder("hanging").exists)
    client.classify(grey(1), Crop.CENTRE, request=2)
    assert {events.next(Failed).error for _ in range(3)} == {"EngineSilent"}


def test_what_is_not_understood_ends_the_process_and_says_so(start):
    client, events = start("broken-frames", wait=False)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (None, "BrokenFrame")
    assert is_gone(client.pid)


def test_much_output_blocks_nobody_and_is_no_answer(start, grey):
    client, events = start("talks-a-lot")
    client.classify(grey(200), Crop.CENTRE, request=1)
    assert events.next(Classified).request == 1


def test_a_command_that_does_not_exist_is_a_failed_lane(lane, grey):
    failures = []
    done = threading.Event()
    client = EngineClient(
        lane(), lambda event: (failures.append(event), done.set()), command=["/nonexistent/python", "-m", "x"]
    )
    client.start()
    assert done.wait(20)
    done.clear()
    client.classify(grey(1), Crop.CENTRE, request=3)
    assert done.wait(20)
    client.close()
    assert [failure.request for failure in failures] == [None, 3]
    assert failures[0].error == "EngineDied"
    assert "/nonexistent/python" in failures[0].fields["how"]


def test_an_unknown_target_is_told_at_once(lane):
    from msgspec.structs import replace

    with pytest.raises(UnknownTarget):
        EngineClient(replace(lane(), target="abacus"), print)


def test_an_exception_in_on_event_does_not_stop_the_events(lane, fake_command, grey, caplog):
    seen = []
    done = threading.Event()

    def on_event(event):
        seen.append(event)
        if isinstance(event, Classified):
            done.set()
        raise RuntimeError("in the user's code")

    client = EngineClient(lane(), on_event, command=fake_command)
    client.start()
    client.classify(grey(1), Crop.CENTRE, request=1)
    assert done.wait(20)
    client.close()
    assert "in the user's code" in caplog.text


# --- the end ---------------------------------------------------------------------------------------------------------


def test_close_ends_the_process_and_may_be_called_again(start):
    client, events = start()
    client.close()
    assert is_gone(client.pid)
    client.close()
    assert not [event for event in events.rest() if isinstance(event, Failed)]


def test_close_ends_a_run(start, grey):
    client, events = start()
    client.run(grey(1), Crop.CENTRE, "live", request=1)
    events.next(RunStarted)
    client.close()
    assert is_gone(client.pid)
    assert events.next(RunFinished).stopped


def test_close_while_loading_does_not_wait_for_the_grace(start):
    client, events = start("hangs-while-loading", wait=False)
    events.next(Stage)
    began = time.monotonic()
    client.close(grace_s=60)
    assert time.monotonic() - began < 5
    assert is_gone(client.pid)


def test_close_right_after_start(start):
    client, _ = start(wait=False)
    client.close()
    assert is_gone(client.pid)


def test_close_without_start_and_start_after_close(lane, fake_command):
    client = EngineClient(lane(), print, command=fake_command)
    client.close()
    assert client.pid is None
    with pytest.raises(RuntimeError):
        client.start()


def test_a_process_that_hangs_while_closing_is_killed(start):
    client, _ = start("hangs-while-closing")
    client.close(grace_s=0.1)
    assert is_gone(client.pid)


def test_a_second_close_may_be_less_patient_than_the_first(start):
    client, _ = start("hangs-while-closing")
    patient = threading.Thread(target=client.close, args=(60.0,))
    patient.start()
    client.close(grace_s=0.0)
    patient.join(20)
    assert not patient.is_alive()
    assert is_gone(client.pid)


def test_pending_requests_are_answered_when_the_lane_is_closed(start, grey):
    client, events = start("hangs")
    client.classify(grey(1), Crop.CENTRE, request=1)
    client.close(grace_s=0.0)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (1, "EngineClosed")
    client.classify(grey(1), Crop.CENTRE, request=2)
    failed = events.next(Failed)
    assert (failed.request, failed.error) == (2, "EngineClosed")


def test_close_may_be_called_out_of_an_event(lane, fake_command):
    done = threading.Event()

    def on_event(event):
        if isinstance(event, Loaded):
            client.close()
            done.set()

    client = EngineClient(lane(), on_event, command=fake_command)
    client.start()
    assert done.wait(20)
    client.close()
    assert is_gone(client.pid)


def test_a_child_does_not_get_the_interrupts_of_the_terminal(start):
    client, _ = start()
    assert os.getpgid(client.pid) != os.getpgrp()


def test_the_environment_reaches_the_process(start):
    client, _ = start(environment={"OPENBLAS_NUM_THREADS": "1"})
    assert psutil.Process(client.pid).environ()["OPENBLAS_NUM_THREADS"] == "1"


def test_a_child_ends_when_its_parent_is_killed(tmp_path, fake_command):
    program = f"""
import sys, threading
sys.path.insert(0, {os.getcwd()!r})
from app.engine.client import EngineClient
from app.engine.messages import Lane, RunStarted
from app.imaging.crop import Crop
from app.paths import cache_folder
import numpy as np
def say(event):
    if isinstance(event, RunStarted):
        print(client.pid, flush=True)
client = EngineClient(Lane(model="/models/well", target="mlx-cpu", precision="fp32"), say, command={fake_command!r})
client.start()
client.run(np.zeros((9, 9, 3), np.uint8), Crop.CENTRE, "live", request=1)
threading.Event().wait()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()
        parent.wait()
    wait_for(lambda: is_gone(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_many_lanes_leave_nothing_behind(start, grey):
    me = psutil.Process()
    start()[0].close()
    before = (me.num_fds(), threading.active_count(), len(me.children()))
    for turn in range(50):
        client, events = start(wait=turn % 2 == 0)
        if turn % 4 == 0:
            client.run(grey(1), Crop.CENTRE, "live", request=1)
            events.next(RunStarted)
            client.stop()
        client.close()
    assert (me.num_fds(), threading.active_count(), len(me.children())) == before

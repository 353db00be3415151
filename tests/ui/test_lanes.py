"""The lanes with fake engines: who is asked what, what is dropped, what is compared."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.engine.messages import Lane, RunFinished, RunStarted, Stage
from app.errors import EngineDied, InternalError
from app.imaging.view import Crop
from app.ui.lane_state import Phase, Subject
from app.ui.lanes import Lanes
from tests.ui.fake_engine import FakeEngines, classified, failed, loaded, samples

pytestmark = pytest.mark.gui

GPU = Lane(model="/m/cats.mlpackage", target="mlx-gpu", precision="stored")
CPU = Lane(model="/m/cats.mlpackage", target="mlx-cpu", precision="fp32")


def subject(crop: Crop = Crop.CENTRE) -> Subject:
    return Subject(SimpleNamespace(rgb_hwc=np.zeros((4, 4, 3), np.uint8)), crop)


@pytest.fixture
def engines() -> FakeEngines:
    return FakeEngines(automatic=False)


@pytest.fixture
def lanes(qapp, engines: FakeEngines):
    lanes = Lanes(engines.open)
    yield lanes
    lanes.shutdown()


@pytest.fixture
def loaded_cpu(qtbot, lanes: Lanes, engines: FakeEngines):
    """One lane, loaded; its client."""
    lanes.choose([CPU])
    qtbot.waitUntil(lambda: bool(engines.clients) and ("start", None) in engines.clients[0].asked)
    engines.of("mlx-cpu").tell(loaded())
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.READY)
    return engines.of("mlx-cpu")


def asked(client, kind: str) -> int:
    return sum(name == kind for name, _value in client.asked)


def test_each_lane_gets_an_engine_of_its_own_and_loses_it_when_it_is_not_wanted_any_more(qtbot, lanes, engines):
    lanes.choose([GPU, CPU])
    qtbot.waitUntil(lambda: len(engines.clients) == 2)
    assert lanes.order == [GPU.key, CPU.key]
    gone = engines.of("mlx-gpu")
    lanes.choose([CPU])
    qtbot.waitUntil(gone.closed.is_set)
    assert lanes.order == [CPU.key]
    assert not engines.of("mlx-cpu").closed.is_set()


def test_a_photo_waits_for_the_lane_to_load(qtbot, lanes, engines):
    lanes.choose([CPU])
    lanes.show(subject())
    qtbot.waitUntil(lambda: bool(engines.clients))
    client = engines.of("mlx-cpu")
    client.tell(Stage(name="compiling"))
    qtbot.waitUntil(lambda: lanes.state(CPU.key).stage == "compiling")
    assert asked(client, "classify") == 0
    client.tell(loaded())
    qtbot.waitUntil(lambda: asked(client, "classify") == 1)


def test_only_the_newest_photo_is_asked_about_when_several_come_while_a_lane_is_busy(qtbot, lanes, loaded_cpu):
    first, last = subject(), subject()
    lanes.show(first)
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 1)
    old = loaded_cpu.last("classify")
    lanes.show(subject())
    lanes.show(last)
    loaded_cpu.tell(classified(old))
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 2)
    assert not lanes.state(CPU.key).answered
    assert loaded_cpu.photo is last.photo.rgb_hwc
    loaded_cpu.tell(classified(loaded_cpu.last("classify")))
    qtbot.waitUntil(lambda: lanes.state(CPU.key).answered)


def test_an_answer_to_an_older_number_is_dropped(qtbot, lanes, loaded_cpu):
    lanes.show(subject())
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 1)
    number = loaded_cpu.last("classify")
    loaded_cpu.tell(classified(number - 1, order=(1, 0, 2, 3, 4)))
    loaded_cpu.tell(classified(number))
    qtbot.waitUntil(lambda: lanes.state(CPU.key).answered)
    assert lanes.state(CPU.key).top[0].index == 0


def test_live_runs_until_it_is_stopped(qtbot, lanes, loaded_cpu):
    lanes.show(subject())
    lanes.set_live(True)
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 1)
    loaded_cpu.tell(classified(loaded_cpu.last("classify")))
    qtbot.waitUntil(lambda: asked(loaded_cpu, "run") == 1)
    run = loaded_cpu.last("run")
    with qtbot.waitSignal(lanes.run_began):
        loaded_cpu.tell(RunStarted(request=run))
    loaded_cpu.samples.waiting.append(samples(30, 20.0, run=run))
    assert len(lanes.read_samples()[CPU.key]) == 30
    lanes.refresh_numbers()
    assert lanes.state(CPU.key).live.median == pytest.approx(20.0)
    lanes.set_live(False)
    qtbot.waitUntil(lambda: asked(loaded_cpu, "stop") == 1)
    loaded_cpu.tell(RunFinished(request=run, measured=30, stopped=True))
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.READY)
    assert lanes.state(CPU.key).live.n == 30


def test_running_once_shows_the_time_of_that_one_inference(qtbot, lanes, engines, loaded_cpu):
    engines.automatic = True
    lanes.show(subject())
    lanes.set_live(True)
    qtbot.waitUntil(lambda: bool(lanes.read_samples()))
    lanes.refresh_numbers()
    lanes.set_live(False)
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.READY)
    assert lanes.state(CPU.key).live is not None
    lanes.run_once()
    assert lanes.state(CPU.key).live is None
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 2)


def test_a_new_photo_during_a_live_run_is_classified_and_the_run_goes_on_with_it(qtbot, lanes, engines, loaded_cpu):
    engines.automatic = True
    lanes.show(subject())
    lanes.set_live(True)
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.RUNNING)
    new = subject()
    lanes.show(new)
    qtbot.waitUntil(lambda: asked(loaded_cpu, "run") == 2)
    names = [name for name, _value in loaded_cpu.asked]
    assert names == ["start", "classify", "run", "stop", "classify", "run"]
    assert loaded_cpu.photo is new.photo.rgb_hwc


def test_a_killed_engine_fails_its_lane_alone_and_can_be_restarted(qtbot, lanes, engines):
    engines.automatic = True
    lanes.choose([GPU, CPU])
    lanes.show(subject())
    lanes.set_live(True)
    qtbot.waitUntil(lambda: lanes.count(Phase.RUNNING) == 2)
    dead = engines.of("mlx-gpu")
    dead.tell(failed(EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")))
    qtbot.waitUntil(lambda: lanes.state(GPU.key).phase is Phase.FAILED)
    qtbot.waitUntil(dead.closed.is_set)
    assert lanes.state(CPU.key).phase is Phase.RUNNING
    lanes.restart(GPU.key)
    qtbot.waitUntil(lambda: lanes.count(Phase.RUNNING) == 2)
    assert engines.of("mlx-gpu") is not dead


def test_what_a_replaced_engine_still_says_is_dropped(qtbot, lanes, engines, loaded_cpu):
    lanes.show(subject())
    qtbot.waitUntil(lambda: asked(loaded_cpu, "classify") == 1)
    number = loaded_cpu.last("classify")
    loaded_cpu.tell(failed(EngineDied(target="MLX · CPU", how="exit status 1", last_words="")))
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.FAILED)
    lanes.restart(CPU.key)
    qtbot.waitUntil(lambda: len(engines.clients) == 2)
    loaded_cpu.tell(classified(number))
    engines.clients[1].tell(loaded())
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is not Phase.LOADING)
    assert not lanes.state(CPU.key).answered


def test_loading_can_be_cancelled_and_begun_again(qtbot, lanes, engines):
    lanes.choose([CPU])
    qtbot.waitUntil(lambda: bool(engines.clients))
    lanes.cancel(CPU.key)
    assert lanes.state(CPU.key).phase is Phase.CANCELLED
    qtbot.waitUntil(engines.clients[0].closed.is_set)
    lanes.restart(CPU.key)
    qtbot.waitUntil(lambda: len(engines.clients) == 2)
    assert lanes.state(CPU.key).phase is Phase.LOADING


def test_an_engine_that_cannot_even_be_opened_is_a_failed_lane(qtbot):
    def refuse(lane, on_event):
        raise RuntimeError("no room")

    lanes = Lanes(refuse)
    lanes.choose([CPU])
    qtbot.waitUntil(lambda: lanes.state(CPU.key).phase is Phase.FAILED)
    assert isinstance(lanes.state(CPU.key).error, InternalError)
    lanes.shutdown()


def test_answers_are_compared_with_fp32_on_the_cpu(qtbot, lanes, engines):
    engines.automatic = True
    engines.orders["mlx-gpu"] = (1, 0, 2, 3, 4)
    lanes.choose([GPU, CPU])
    lanes.show(subject())
    qtbot.waitUntil(lambda: all(state.answered for state in lanes.states()))
    gpu, cpu = lanes.states()
    assert cpu.compared.is_reference
    assert gpu.compared.reference == "MLX · CPU"
    assert gpu.compared.agreement.agrees is False
    engines.orders.clear()
    lanes.run_once()
    qtbot.waitUntil(lambda: lanes.state(GPU.key).compared.agreement.agrees)


def test_answers_for_different_photos_are_not_compared(qtbot, lanes, engines):
    engines.automatic = True
    lanes.choose([GPU, CPU])
    lanes.show(subject())
    qtbot.waitUntil(lambda: all(state.answered for state in lanes.states()))
    engines.automatic = False
    lanes.show(subject())
    qtbot.waitUntil(lambda: asked(engines.of("mlx-gpu"), "classify") == 2)
    engines.of("mlx-gpu").tell(classified(engines.of("mlx-gpu").last("classify")))
    qtbot.waitUntil(lambda: not lanes.state(GPU.key).stale)
    assert lanes.state(CPU.key).stale
    assert lanes.state(GPU.key).compared.agreement is None


def test_speed_is_compared_with_the_baseline_only_after_both_ran(qtbot, lanes, engines):
    engines.automatic = True
    engines.ms = {"mlx-gpu": 5.0, "mlx-cpu": 20.0}
    lanes.choose([GPU, CPU])
    lanes.show(subject())
    qtbot.waitUntil(lambda: all(state.answered for state in lanes.states()))
    assert lanes.state(GPU.key).speed.ratio is None
    lanes.set_live(True)

    def compared() -> bool:
        lanes.read_samples()
        lanes.refresh_numbers()
        return lanes.state(GPU.key).speed.ratio is not None

    qtbot.waitUntil(compared)
    assert lanes.state(GPU.key).speed.ratio == pytest.approx(4.0)
    assert lanes.state(CPU.key).speed.is_baseline
    lanes.use_baseline("mlx-gpu")
    assert lanes.state(CPU.key).speed.ratio == pytest.approx(0.25)


def test_a_lane_alone_is_compared_with_nothing(qtbot, lanes, loaded_cpu):
    assert lanes.state(CPU.key).speed is None
    assert lanes.state(CPU.key).compared is None


def test_shutdown_during_loading_ends_every_engine(qtbot, engines):
    lanes = Lanes(engines.open)
    lanes.choose([GPU, CPU])
    lanes.shutdown()
    assert all(client.closed.is_set() for client in engines.clients)

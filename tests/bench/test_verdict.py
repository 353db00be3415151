"""A result is trusted unless something speaks against it."""

from dataclasses import replace

import numpy as np
import pytest

from app.bench.statistics import summarise
from app.bench.verdict import SENTENCES, judge, reason_sentence
from tests.bench.stand_ins import BATTERY, MAINS

UNKNOWN = replace(MAINS, on_battery=None, low_power_mode=None, thermal_state=None, load_1min=None)
STEADY = np.full(200, 2.0)


def reasons(ms, conditions=(MAINS, MAINS), other_load=0.0):
    return judge(ms, summarise(ms), conditions, other_load=other_load).reasons


def test_steady_result_in_good_conditions_is_trusted():
    verdict = judge(STEADY, summarise(STEADY), [MAINS, MAINS], other_load=0.02)
    assert verdict.trusted
    assert verdict.reasons == ()


def test_what_is_unknown_does_not_count_against_a_result():
    assert reasons(STEADY, [UNKNOWN], None) == ()


def test_too_few_samples():
    assert reasons(STEADY[:99]) == ("too-few-samples",)
    assert reasons(STEADY[:100]) == ()


def test_unsettled():
    assert "unsettled" in reasons(np.linspace(1.0, 1.5, 200))


def test_spread():
    wide = np.tile([1.0, 1.0, 1.0, 1.0, 1.3], 40)
    assert reasons(wide) == ("spread",)
    assert reasons(np.tile([1.0, 1.0, 1.0, 1.0, 1.19], 40)) == ()


@pytest.mark.parametrize("state", ["serious", "critical"])
def test_throttled_at_any_moment(state):
    assert reasons(STEADY, [MAINS, replace(MAINS, thermal_state=state), MAINS]) == ("throttled",)


def test_warm_is_not_throttled():
    assert reasons(STEADY, [replace(MAINS, thermal_state="fair")]) == ()


def test_power():
    assert reasons(STEADY, [MAINS, BATTERY]) == ("on-battery",)
    assert reasons(STEADY, [replace(MAINS, low_power_mode=True)]) == ("low-power-mode",)


def test_busy_machine():
    assert reasons(STEADY, other_load=0.11) == ("busy-machine",)


def test_all_reasons_are_given_in_their_order():
    hot = replace(BATTERY, thermal_state="critical", low_power_mode=True)
    found = reasons(np.linspace(1, 9, 50), [hot], 0.9)
    assert found == ("too-few-samples", "spread", "throttled", "on-battery", "low-power-mode", "busy-machine")


@pytest.mark.parametrize("reason", SENTENCES)
def test_every_reason_has_a_sentence(reason):
    assert reason_sentence(reason)

"""A lane gets the session of its target's runtime, and nothing of the other one is imported."""

import subprocess
import sys

import pytest

from app.engine.coreml_session import CoremlSession
from app.engine.messages import Lane, Load
from app.engine.mlx_session import MlxSession
from app.engine.session import open_session
from app.engine.targets import TARGETS
from app.errors import UnknownTarget


def load(target):
    return Load(lane=Lane(model="/m", target=target, precision="stored"), cache_folder="/c")


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.id)
def test_every_target_has_a_session(target):
    assert isinstance(open_session(load(target.id)), MlxSession if target.runtime == "mlx" else CoremlSession)


def test_an_unknown_target_is_told():
    with pytest.raises(UnknownTarget):
        open_session(load("abacus"))


def test_the_host_starts_before_any_runtime_is_imported():
    program = "import sys, app.engine.host; print({'mlx.core', 'coremltools'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"

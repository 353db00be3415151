"""What a machine has is asked of child processes; whatever happens to them, every target gets an answer."""

import json
import subprocess
import sys

import pytest

from app.engine import probe as probing
from app.engine.probe import CoremlDevices, MlxDevices, Probe, probe, probe_machine
from app.engine.targets import (
    NEEDS_MACOS,
    NEEDS_MACOS_13,
    NO_CORE_ML_GPU,
    NO_MLX_GPU,
    NO_NEURAL_ENGINE,
    TARGETS,
)

A_MAC = Probe(
    mlx=MlxDevices(gpu="Apple M3 Max", backend="metal"),
    coreml=CoremlDevices(gpu=True, neural_engine=True, neural_engine_cores=16),
)


def by_id(probe):
    return {state.target.id: (state.available, state.reason, state.detail) for state in probe.states()}


@pytest.fixture
def children(monkeypatch):
    """Lets every probing child run the given Python code instead; the code finds the descriptor in `fd`."""

    def use(code):
        program = f"import sys, os\nfd = int(sys.argv[sys.argv.index('--fd') + 1])\n{code}"
        monkeypatch.setattr(probing, "module_command", lambda module: [sys.executable, "-c", program])

    return use


def test_states_come_in_the_order_of_the_table():
    assert [state.target for state in probe()] == list(TARGETS)


def test_a_mac_has_everything(monkeypatch):
    monkeypatch.setattr(probing.platform, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    states = by_id(A_MAC)
    assert all(available for available, _, _ in states.values())
    assert states["mlx-gpu"][2] == "Apple M3 Max"
    assert states["coreml-ne"][2] == "16 cores"


def test_what_is_missing_has_its_reason(monkeypatch):
    monkeypatch.setattr(probing.platform, "mac_ver", lambda: ("15.1", ("", "", ""), "x86_64"))
    states = by_id(Probe(mlx=MlxDevices(backend="cpu"), coreml=CoremlDevices()))
    assert states["mlx-gpu"][:2] == (False, NO_MLX_GPU)
    assert states["mlx-cpu"][:2] == (True, None)
    assert states["coreml-ne"][:2] == (False, NO_NEURAL_ENGINE)
    assert states["coreml-gpu"][:2] == (False, NO_CORE_ML_GPU)
    assert states["coreml-cpu"][:2] == (True, None)
    assert states["coreml-all"][:2] == (True, None)


def test_the_neural_engine_needs_a_new_enough_system(monkeypatch):
    monkeypatch.setattr(probing.platform, "mac_ver", lambda: ("12.6.1", ("", "", ""), "arm64"))
    assert by_id(A_MAC)["coreml-ne"][:2] == (False, NEEDS_MACOS_13)


def test_a_runtime_that_cannot_be_imported_says_why():
    states = by_id(Probe(mlx=MlxDevices(error="libmlx.so: no such file"), coreml=None))
    assert states["mlx-cpu"] == (False, probing.CANNOT_START, "libmlx.so: no such file")
    assert states["coreml-cpu"][:2] == (False, NEEDS_MACOS)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has Core ML")
def test_core_ml_is_not_looked_for_outside_macos():
    assert probe_machine(fresh=True).coreml is None


@pytest.mark.mlx
def test_mlx_on_the_cpu_is_there_and_knows_its_back_end():
    found = probe_machine(fresh=True).mlx
    assert found.error is None
    assert found.backend is not None
    assert by_id(probe_machine())["mlx-cpu"][0]


@pytest.mark.parametrize(
    ("code", "how"), [("os.kill(os.getpid(), 6)", "signal SIGABRT"), ("raise SystemExit(4)", "exit status 4")]
)
def test_a_child_that_dies_costs_its_runtime(children, code, how):
    children(code)
    state = by_id(probe_machine(fresh=True))["mlx-cpu"]
    assert state == (False, probing.CANNOT_START, how)


def test_a_child_that_dies_on_the_gpu_leaves_the_cpu(children):
    children("""os.write(fd, b'{"gpu": null, "backend": "cpu"}\\n'); os.abort()""")
    states = by_id(probe_machine(fresh=True))
    assert states["mlx-gpu"] == (False, NO_MLX_GPU, "signal SIGABRT")
    assert states["mlx-cpu"][0]


def test_a_child_that_hangs_is_ended(children, monkeypatch):
    monkeypatch.setattr(probing, "_TIMEOUT_S", 0.2)
    children("import threading; threading.Event().wait()")
    assert by_id(probe_machine(fresh=True))["mlx-cpu"][2] == "no answer within 0 s"


def test_the_answer_is_kept_and_a_bad_one_is_not(children):
    children("os.abort()")
    assert probe_machine().mlx.error
    children("""os.write(fd, b'{"gpu": "first", "backend": "cuda"}\\n')""")
    assert probe_machine().mlx.gpu == "first"
    children("""os.write(fd, b'{"gpu": "second", "backend": "cuda"}\\n')""")
    assert probe_machine().mlx.gpu == "first"
    assert probe_machine(fresh=True).mlx.gpu == "second"


def test_a_kept_answer_of_another_version_or_boot_is_not_used(children, monkeypatch):
    children("""os.write(fd, b'{"gpu": "old", "backend": "cuda"}\\n')""")
    probe_machine()
    children("""os.write(fd, b'{"gpu": "new", "backend": "cuda"}\\n')""")
    monkeypatch.setattr(probing, "_boot_identity", lambda: "another boot")
    assert probe_machine().mlx.gpu == "new"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": {}, "found": {}}', b"\xff"])
def test_a_damaged_page_is_only_asked_again(children, content):
    children("""os.write(fd, b'{"gpu": "found", "backend": "cuda"}\\n')""")
    page = probing.cache_folder("probe.json")
    page.parent.mkdir(parents=True)
    page.write_bytes(content)
    assert probe_machine().mlx.gpu == "found"
    assert json.loads(page.read_bytes())["found"]["mlx"]["gpu"] == "found"


def test_a_folder_that_cannot_be_written_is_no_obstacle(children, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "file" / "below"))
    children("""os.write(fd, b'{"gpu": "found", "backend": "cuda"}\\n')""")
    assert probe_machine().mlx.gpu == "found"


def test_neither_runtime_is_imported_here():
    program = "import sys, app.engine.probe, app.engine.client; print({'mlx.core', 'coremltools'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"

"""The command line on real engine processes."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "resources" / "samples"
COFFEE = str(SAMPLES / "coffee.jpg")

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Folders of the tests' own, shared by them: the model is compiled once."""
    folder = tmp_path_factory.mktemp("dyno")
    return {
        **os.environ,
        "DYNO_CACHE_DIR": str(folder / "cache"),
        "DYNO_DATA_DIR": str(folder / "data"),
        "LANGUAGE": "en",
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.fixture
def dyno(environment):
    def run(*arguments, **more):
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100, check=False, **more)

    return run


@pytest.fixture
def begin(environment):
    """Starts the program and leaves it running; whatever is left of it at the end is killed."""
    programs = []

    def start(*arguments):
        command = [sys.executable, "-m", "app", *arguments]
        program = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.kill()
        program.communicate()


def lines_until(program, wanted):
    """Lines of standard output up to the one that holds `wanted`."""
    lines = []
    for line in program.stdout:
        lines.append(line)
        if wanted in line:
            return lines
    pytest.fail(f"no “{wanted}” in {lines}, but {program.stderr.read()}")


def engines_of(program):
    return psutil.Process(program.pid).children(recursive=True)


def test_classify(dyno, tmp_path):
    archive = tmp_path / "coffee.npz"
    done = dyno("classify", COFFEE, "-t", "mlx-cpu", "--json", "--outputs", str(archive))
    assert (done.returncode, done.stderr) == (0, b"")
    (found,) = json.loads(done.stdout)
    assert found["photo"] == COFFEE
    assert (found["target"], found["precision"]) == ("mlx-cpu", "fp32")
    assert found["top"][0]["label"] == "espresso"
    assert len(found["top"]) == 5
    assert 0 < found["engine_ms"] < found["total_ms"]
    with np.load(archive) as outputs:
        (probabilities,) = (outputs[name] for name in outputs if outputs[name].dtype == np.float32)
        assert probabilities.argmax() == found["top"][0]["index"]


def test_picture_on_standard_input(dyno):
    done = dyno("classify", "-", "-t", "mlx-cpu", "--json", "--top", "1", input=Path(COFFEE).read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)[0]["top"][0]["label"] == "espresso"


def test_default_is_every_available_target(dyno):
    targets = [one["target"] for one in json.loads(dyno("doctor", "--json").stdout)["targets"] if one["available"]]
    assert "mlx-cpu" in targets
    found = json.loads(dyno("classify", COFFEE, "--json").stdout)
    assert [one["target"] for one in found] == targets


def test_broken_model_is_one_line(dyno, tmp_path):
    broken = tmp_path / "broken.mlmodel"
    broken.write_bytes(b"no model at all")
    done = dyno("classify", COFFEE, "-m", str(broken), "-t", "mlx-cpu", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == []
    assert done.stderr.decode().startswith("dyno: ")
    assert done.stderr.count(b"\n") == 1
    assert b"broken.mlmodel" in done.stderr


def test_race(dyno):
    done = dyno("race", COFFEE, "-t", "mlx-cpu", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (lane,) = found["lanes"]
    assert lane["n"] == 100
    assert lane["top"][0]["label"] == "espresso"
    assert lane["agreement"]["largest_difference"] == 0
    assert lane["memory_bytes"] > 10_000_000
    assert lane["engine_ms"]["median"] <= lane["total_ms"]["median"]
    assert found["comparisons"] == []
    assert found["conditions"]["machine"]["logical_cores"] == os.cpu_count()


def test_interruption_ends_the_engines_and_leaves_whole_tables(begin):
    program = begin("classify", *[COFFEE] * 200, "-t", "mlx-cpu")
    before = lines_until(program, "espresso")
    engines = engines_of(program)
    assert engines
    program.send_signal(signal.SIGINT)
    rest, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (130, "")
    printed = "".join(before) + rest
    assert printed.count("JPEG") == printed.count("espresso")
    assert psutil.wait_procs(engines, timeout=10)[1] == []


def test_interruption_with_json_prints_nothing_half(begin):
    program = begin("race", COFFEE, "-t", "mlx-cpu", "--full", "--json")
    while not engines_of(program):  # the first engine is being started
        assert program.poll() is None
    engines = engines_of(program)
    program.send_signal(signal.SIGINT)
    out, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (130, "")
    assert out == "" or json.loads(out)["ended_by"] == "cancelled"
    assert psutil.wait_procs(engines, timeout=10)[1] == []


def test_interrupted_race_prints_what_was_measured(environment):
    """Standard error is a terminal, where the progress tells when measuring has begun."""
    terminal, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "app", "race", COFFEE, "-t", "mlx-cpu", "--full", "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while b"1/32" not in seen:  # the first block is done
        seen += os.read(terminal, 4096)
    engines = engines_of(program)
    program.send_signal(signal.SIGINT)
    drain = threading.Thread(target=lambda: [None for _ in iter(lambda: _read(terminal), b"")])
    drain.start()
    out, _ = program.communicate(timeout=60)
    drain.join()
    os.close(terminal)
    assert program.returncode == 130
    found = json.loads(out)
    assert (found["complete"], found["ended_by"]) == (False, "cancelled")
    assert found["lanes"][0]["n"] >= 33
    assert psutil.wait_procs(engines, timeout=10)[1] == []


def _read(terminal):
    """What comes next on a terminal; nothing once its other side is closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # EIO on Linux
        return b""


def test_engine_that_is_killed_is_reported_and_the_answers_stay(begin):
    program = begin("classify", *[COFFEE] * 200, "-t", "mlx-cpu")
    lines_until(program, "espresso")
    for engine in engines_of(program):
        engine.kill()
    out, errors = program.communicate(timeout=30)
    assert program.returncode == 1
    assert errors.count("\n") == 1
    assert "SIGKILL" in errors
    assert out.count("JPEG") < 200


def test_program_that_is_killed_leaves_no_engine(begin):
    program = begin("classify", *[COFFEE] * 200, "-t", "mlx-cpu")
    lines_until(program, "espresso")
    engines = engines_of(program)
    program.kill()
    assert psutil.wait_procs(engines, timeout=10)[1] == []

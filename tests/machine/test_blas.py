"""The BLAS that MLX uses on Linux. Loading lasts as long as the process, so each question has a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.machine import blas
from app.machine.blas import kernels_for, parse_config


def ask(code: str, **environment: str) -> str:
    """What the code prints in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, **environment},
    ).stdout.strip()


def installed() -> bool:
    return ask("from app.machine.blas import load_openblas; print(load_openblas() is not None)") == "True"


needs_openblas = pytest.mark.skipif(not installed(), reason="OpenBLAS is not installed")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64", ("OpenBLAS", "0.3.21")),
        ("OpenBLAS 0.3.28.dev", ("OpenBLAS", "0.3.28.dev")),
        ("", ("OpenBLAS", "")),
    ],
)
def test_name_and_version_are_read_from_its_description(config, expected):
    assert parse_config(config) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx avx2 fma avx512f avx512bw avx512cd avx512dq avx512vl amx_tile", "SkylakeX"),
        ("fpu sse2 avx avx2 fma avx512f", "Haswell"),  # Xeon Phi has a part of AVX-512 only
        ("fpu sse2 avx", None),
        ("", None),
    ],
)
def test_kernels_are_chosen_by_what_the_processor_can_do(flags, expected):
    assert kernels_for(set(flags.split())) == expected


@needs_openblas
def test_kernels_that_the_user_chose_stay():
    code = "import os; from app.machine.blas import *; load_openblas(); print(os.environ['OPENBLAS_CORETYPE'])"
    assert ask(code, OPENBLAS_CORETYPE="Haswell") == "Haswell"


@needs_openblas
def test_it_is_loaded_once_and_described():
    printed = ask(
        "from app.machine.blas import *; a = load_openblas(); b = load_openblas();"
        "print(a is b, a.name, a.version.count('.') >= 1, a.threads >= 1, 'openblas' in a.path, why_no_openblas())"
    )
    assert printed == "True OpenBLAS True True True None"


@needs_openblas
def test_the_number_of_threads_can_be_set_from_outside():
    code = "from app.machine.blas import *; print(load_openblas().threads)"
    assert ask(code, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1") == "1"


@needs_openblas
@pytest.mark.mlx
def test_mlx_is_bound_to_it(tmp_path):
    # The dynamic loader writes down which library each name of MLX was found in.
    code = """if True:
        from app.machine.blas import load_openblas
        assert load_openblas()
        import mlx.core as mx
        a = mx.ones((64, 64))
        mx.eval(mx.matmul(a, a, stream=mx.cpu))
    """
    ask(code, LD_DEBUG="bindings", LD_DEBUG_OUTPUT=str(tmp_path / "bindings"))
    lines = [line for file in tmp_path.iterdir() for line in file.read_text(errors="replace").splitlines()]
    bound = [line for line in lines if "libmlx.so" in line.partition(" to ")[0] and line.endswith("`cblas_sgemm'")]
    assert bound
    assert all("openblas" in line.partition(" to ")[2] for line in bound)


@needs_openblas
@pytest.mark.mlx
def test_after_mlx_it_is_too_late_and_that_is_said():
    code = "import mlx.core; from app.machine.blas import *; print(load_openblas(), why_no_openblas())"
    assert ask(code) == f"None {blas.TOO_LATE}"


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_need_none(system):
    code = f"""if True:
        import sys
        from app.machine.blas import load_openblas, why_no_openblas
        sys.platform = {system!r}
        print(load_openblas(), why_no_openblas())
    """
    assert ask(code) == f"None {blas.NOT_HERE}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux looks for it")
def test_a_machine_without_it_gets_a_reason():
    code = (
        "from app.machine import blas; blas._NAMES = ('libno-such-blas.so.0',);"
        "print(blas.load_openblas(), blas.why_no_openblas())"
    )
    assert ask(code) == f"None {blas.NOT_FOUND}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux looks for it")
def test_a_library_without_blas_is_not_taken_for_one():
    code = "from app.machine import blas; blas._NAMES = ('libc.so.6',); print(blas.load_openblas())"
    assert ask(code) == "None"

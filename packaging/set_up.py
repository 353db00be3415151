"""Make a virtual environment ready: Debian packages, then the pinned Python packages of pyproject.toml.

    python3 packaging/set_up.py --environment .venv --mlx cpu [--extra dev]

Runs on a bare interpreter (standard library only) and installs nothing that is there already. Versions come from
pyproject.toml alone: direct ones from [project], what those bring along from [tool.dyno] constraints.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BACK_ENDS = {"cpu": "mlx-cpu", "cuda13": "mlx-cuda-13"}


def main() -> int:
    arguments = _arguments()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if sys.platform == "linux":
        install_debian_packages(with_tests="dev" in arguments.extra)
    environment = (ROOT / arguments.environment).resolve()
    extras = [*arguments.extra, *([arguments.mlx] if sys.platform == "linux" and arguments.mlx in BACK_ENDS else [])]
    wanted = wanted_packages(project, extras, alone=arguments.mlx == "none")
    fingerprint = hashlib.sha256(json.dumps([wanted, project["tool"]["dyno"], sys.version]).encode()).hexdigest()
    # A second set-up with fewer extras must not count as a change: each set of extras has a stamp of its own.
    stamp = environment / f".installed-{'-'.join(sorted(extras)) or 'plain'}"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return 0
    make_environment(environment)
    python = environment / "bin" / "python"
    if arguments.mlx in BACK_ENDS and sys.platform == "linux":
        remove_other_back_end(python, arguments.mlx)
    constraints = environment / "constraints.txt"
    constraints.write_text("\n".join(project["tool"]["dyno"]["constraints"]) + "\n", encoding="utf-8")
    print(f"Installing {len(wanted)} packages into {arguments.environment} (once) …", flush=True)
    pip(python, "install", "--constraint", str(constraints), *wanted)
    if arguments.mlx != "none":
        pip(python, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp.write_text(fingerprint)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--environment", default=".venv", help="folder of the virtual environment (default: .venv)")
    parser.add_argument(
        "--mlx",
        choices=[*BACK_ENDS, "none"],
        default="cpu",
        help="back end of MLX on Linux; none: only the packages of --extra, without the program",
    )
    parser.add_argument("--extra", action="append", default=[], choices=["dev", "models", "zoo"], help="may repeat")
    return parser.parse_args()


def wanted_packages(project: dict, extras: list[str], *, alone: bool) -> list[str]:
    """Requirement lines for pip. `alone`: the extras without the program's own dependencies."""
    wanted = [] if alone else list(project["project"]["dependencies"])
    for extra in extras:
        wanted += project["project"]["optional-dependencies"][extra]
    return [*wanted, *project["build-system"]["requires"]]


def install_debian_packages(*, with_tests: bool) -> None:
    """Install what debian.txt lists and this machine lacks; on another system say what is needed and go on."""
    wanted = []
    for line in (ROOT / "packaging" / "debian.txt").read_text(encoding="utf-8").splitlines():
        name, _, need = line.partition(" ")
        if name and not name.startswith("#") and (with_tests or need.strip() == "run"):
            wanted.append(name)
    if not shutil.which("dpkg-query"):
        print(f"This is no Debian system; the program needs the counterparts of: {' '.join(wanted)}", file=sys.stderr)
        return
    missing = [name for name in wanted if not is_installed(name)]
    if not missing:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"] if shutil.which("sudo") else None
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if as_root is None:
        sys.exit(f"These Debian packages are missing. Install them as root, then try again:\n  {' '.join(command)}")
    print(f"Installing Debian packages (once): {' '.join(missing)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        done = subprocess.run([*as_root, *step], env=quiet, capture_output=True, text=True, check=False)
        # An update fails when one of several sources does; what counts is whether the packages can be had.
        if done.returncode and step is command:
            sys.exit(
                f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}\nInstalling failed. By hand:\n  {' '.join(command)}"
            )


def is_installed(package: str) -> bool:
    """Whether dpkg says that a package is installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def make_environment(environment: Path) -> None:
    """Create the virtual environment, or make it anew when it belongs to another Python."""
    python = environment / "bin" / "python"
    if python.exists():
        query = [str(python), "-c", "import sys; print(sys.version)"]
        if subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip() == sys.version:
            return
        shutil.rmtree(environment)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)


def remove_other_back_end(python: Path, mlx: str) -> None:
    """Uninstall the back end that is not wanted: both bring mlx/lib/libmlx.so, and the last one installed would win."""
    for name, package in BACK_ENDS.items():
        shown = subprocess.run([str(python), "-m", "pip", "show", "--quiet", package], capture_output=True, check=False)
        if name != mlx and shown.returncode == 0:
            pip(python, "uninstall", "--yes", package, "mlx", BACK_ENDS[mlx])


def pip(python: Path, *words: str) -> None:
    """Run pip quietly; on failure show what it said and stop."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([str(python), "-m", "pip", *words, *quiet], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\nThe set-up stopped: pip {words[0]} failed (see above)."
        )


if __name__ == "__main__":
    sys.exit(main())

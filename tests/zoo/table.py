"""Write tests/zoo/README.md: what the last run of the tests measured, one row a network.

.venv/bin/python tests/zoo/table.py
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ZOO = HERE.parent.parent / ".zoo"

HEAD = """# The zoo

Networks of every family, as small as their operations allow, with seeded random weights, converted by coremltools 9.0
and compared with PyTorch 2.13 on three pictures, on the CPU. `make zoo` builds them, tests them and writes this page.

*1 − cosine* is of the logits without their mean (of the values, for maps and embeddings); *largest* is the largest
difference of a probability (of a value, as a part of the largest magnitude). The worst of three pictures and all
outputs is given. *Inferred* counts the operations that were also compared, one by one, with the value that coremltools
infers for them with NumPy. Bounds: float32 1e-5 and 1e-3, float16 1e-3, and the same best class wherever the best two
logits of PyTorch are further apart than a twentieth of the logits' deviation.

"""
COUNTS = ("operations", "kinds", "inferred")
COLUMNS = (
    ("float32 1 − cosine", "cosine_fp32", True),
    ("largest", "largest_fp32", False),
    ("float16 1 − cosine", "cosine_fp16", True),
    ("largest", "largest_fp16", False),
    ("NeuralNetwork 1 − cosine", "cosine_layers", True),
    ("largest", "largest_layers", False),
)


def main() -> int:
    listed = tomllib.loads((HERE / "networks.toml").read_text("utf-8"))
    index = json.loads((ZOO / "index.json").read_text("utf-8"))
    names = ["network", "family", "operations", "kinds", "inferred", *(title for title, _, _ in COLUMNS)]
    rows = [_row(entry, _measured(index, entry["name"])) for entry in listed["network"]]
    refused = [[one["family"], one["reason"]] for one in listed["refused"]]
    text = (
        HEAD + _table(names, rows) + "\nWhat coremltools 9.0 does not convert:\n\n" + _table(["family", "why"], refused)
    )
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(f"{len(rows)} networks, {sum(row[2] != '' for row in rows)} measured: tests/zoo/README.md")
    return 0


def _measured(index: dict[str, str], name: str) -> dict[str, Any]:
    try:
        return json.loads((ZOO / index[name] / "measured.json").read_text("utf-8"))
    except (KeyError, FileNotFoundError):
        return {}


def _row(entry: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    cells = [entry["name"], entry["family"], *(str(measured.get(key, "")) for key in COUNTS)]
    for _, key, distance in COLUMNS:
        value = measured.get(key)
        cells.append("" if value is None else f"{max(0.0, 1 - value) if distance else value:.0e}")
    return cells


def _table(names: list[str], rows: list[list[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())

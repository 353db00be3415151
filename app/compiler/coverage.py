"""Which operations of MIL run, as a table made from the code.

`python -m app.compiler.coverage > app/compiler/COVERAGE.md` writes it anew. The operations are those that coremltools
registers; those that have a lowering run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["runs", "taken off", "refused"]

REFUSED: dict[str, str] = {
    "make_list": "a list whose length changes while it runs",
    "list_gather": "a list whose length changes while it runs",
    "list_length": "a list whose length changes while it runs",
    "list_read": "a list whose length changes while it runs",
    "list_scatter": "a list whose length changes while it runs",
    "list_write": "a list whose length changes while it runs",
    "non_zero": "the size of its result depends on the numbers in it",
    "random_bernoulli": "Core ML's random numbers cannot be reproduced",
    "random_categorical": "Core ML's random numbers cannot be reproduced",
    "random_normal": "Core ML's random numbers cannot be reproduced",
    "random_uniform": "Core ML's random numbers cannot be reproduced",
    "_const_symbolic": "exists only while coremltools converts, no file holds it",
}
"""Why an operation has no lowering. Those of the dialect `complex` are added by `coverage`."""

REMARKS: dict[str, str] = {
    "classify": "the label is looked up outside the traced function",
    "const": "put where it is read",
    "cond": "a known branch is taken, else both are computed and one is chosen; one that writes a state is refused",
    "while_loop": "written out; refused when the trip count depends on the input",
    "read_state": "the state is one more input and output of the traced function",
    "coreml_update_state": "the state is one more input and output of the traced function",
    "gru": "`reset_after` is refused",
    "lstm": "reverse with `output_sequence` is refused: nobody says in which order",
    "rnn": "reverse with `output_sequence` is refused: nobody says in which order",
    "einsum": "the two equations that MIL allows",
    "matmul": "of int32 up to 2^26 products of single numbers",
    "linear": "of int32 up to 2^26 products of single numbers",
    "range_1d": "of constants",
    "non_maximum_suppression": "up to 1024 boxes are picked",
    "scatter": "`mode` div of floats alone",
    "scatter_along_axis": "`mode` div of floats alone",
    "scatter_nd": "`mode` div of floats alone",
    "reduce_argmax": "of equals MIL leaves open which; on the CPU the first",
    "reduce_argmin": "of equals MIL leaves open which; on the CPU the first",
    "real_div": "int32 by int32 gives int32, rounded towards zero",
    "gather": "`validate_indices` checks constant indices alone",
    "gather_along_axis": "`validate_indices` checks constant indices alone",
    "gather_nd": "`validate_indices` checks constant indices alone",
    "avg_pool": "`ceil_mode` with a window outside of the image is refused",
    "l2_pool": "`ceil_mode` with a window outside of the image is refused",
    "max_pool": "`ceil_mode` with a window outside of the image is refused",
    "affine": "`coordinates_mode` normalized_minus_one_to_one alone, as MIL itself",
    "conv_quantized": "8 bits, linear",
    "crop_resize": "`sampling_mode` UNALIGN_CORNERS is refused: nobody says what it does to a box",
    "local_response_norm": "of four axes: of others nobody says which are the channels",
    "resize": "NEAREST_NEIGHBOR in `sampling_mode` DEFAULT alone, LINEAR of floats",
    "dequantize": "of constants: expanded while the file is read",
}
"""What else there is to say of one that runs or is taken off."""


@dataclass(frozen=True)
class Row:
    """One operation of MIL."""

    kind: str
    family: str
    """The file of coremltools that defines it."""
    op_sets: tuple[str, ...]
    """Those that gave it a signature, the first one first (no ML Program is older than iOS 15); none for a dialect."""
    state: State
    remark: str
    """The reason of a refusal; else what is special, or nothing."""


def coverage() -> tuple[Row, ...]:
    """Every operation that coremltools registers, by family and name."""
    from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

    rows = [_row(kind, tuple(versions.values())) for kind, versions in SSAOpRegistry.core_ops.items()]
    rows += [_row(kind, (definition,)) for kind, definition in SSAOpRegistry.dialect_ops.items()]
    return tuple(sorted(rows, key=lambda row: (row.family, row.kind)))


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a page."""
    rows = tuple(rows)
    counts = {state: sum(row.state == state for row in rows) for state in ("runs", "taken off", "refused")}
    lines = [
        "# Operations of MIL that run on MLX",
        "",
        "Written by `python -m app.compiler.coverage`; a test keeps it equal to the code.",
        "",
        f"{counts['runs']} run, {counts['taken off']} are taken off (they are done before the program runs), "
        f"{counts['refused']} are refused by name.",
        "",
        "| operation | op sets | here | remark |",
        "| --- | --- | --- | --- |",
    ]
    family = ""
    for row in rows:
        if row.family != family:
            family = row.family
            lines.append(f"| **{family}** | | | |")
        lines.append(f"| `{row.kind}` | {', '.join(row.op_sets)} | {row.state} | {row.remark} |")
    return "\n".join(lines) + "\n"


def _row(kind: str, definitions: tuple[Any, ...]) -> Row:
    from app.compiler.ops.registry import TABLE
    from app.compiler.reading.translation import is_taken_off

    # coremltools.converters.mil.mil.ops.defs.iOS16.tensor_operation
    places = [definition.__module__.split(".defs.")[1].split(".") for definition in definitions]
    op_sets = tuple(dict.fromkeys(place[0] for place in places if place[0].startswith("iOS")))
    family = places[0][-1] if op_sets else places[0][0]
    if kind in TABLE:
        return Row(kind, family, op_sets, "runs", REMARKS.get(kind, ""))
    if is_taken_off(kind):
        expanded = "expanded when the program is read" if kind.startswith("constexpr_") else ""
        return Row(kind, family, op_sets, "taken off", REMARKS.get(kind, expanded))
    if family == "complex_dialect_ops":
        return Row(kind, family, op_sets, "refused", "coremltools replaces it while it converts, no file holds it")
    return Row(kind, family, op_sets, "refused", REFUSED.get(kind, ""))


if __name__ == "__main__":
    import app.compiler.ops  # noqa: F401  fills the table

    sys.stdout.write(markdown(coverage()))

"""Nothing that does nothing stays, and nothing else goes."""

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.cleanup import drop_identities, drop_unread
from app.compiler.passes.precision import compute_in
from app.compiler.program import Operation, Program, Value

X, A, B, C = (Value(name, (2,), "fp32") for name in "xabc")


def test_an_identity_gives_way_to_what_it_reads_even_as_an_output():
    program = Program(
        (X,),
        (
            Operation("relu", {"x": X}, (A,)),
            Operation("identity", {"x": A}, (B,)),
            Operation("identity", {"x": B}, (C,)),
        ),
        (("y", C), ("z", B)),
    )
    after = drop_identities(program)
    assert [o.kind for o in after.operations] == ["relu"]
    assert after.outputs == (("y", A), ("z", A))


def test_casts_between_floats_fall_away_once_there_is_one_type(program_of):
    def body(x):
        return mb.cast(x=mb.relu(x=mb.cast(x=x, dtype="fp16")), dtype="fp32")

    program = drop_identities(compute_in("fp32")(program_of(body, np.zeros((2, 3), np.float32))))
    assert [o.kind for o in program.operations] == ["relu"]


def test_a_cast_to_another_type_stays(program_of):
    program = drop_identities(program_of(lambda x: mb.cast(x=x, dtype="fp16"), np.zeros((2, 3), np.float32)))
    assert [o.kind for o in program.operations] == ["cast"]


def test_what_nothing_reads_goes_with_all_that_only_it_read():
    program = Program(
        (X,),
        (
            Operation("relu", {"x": X}, (A,)),
            Operation("exp", {"x": X}, (B,)),
            Operation("add", {"x": A, "y": B}, (C,)),
        ),
        (("y", A),),
    )
    assert [o.kind for o in drop_unread(program).operations] == ["relu"]

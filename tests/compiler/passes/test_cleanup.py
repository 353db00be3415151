"""Nothing that does nothing stays, and nothing else goes."""

import numpy as np
import pytest
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


ONE, ZERO = np.float32(1), np.zeros((3, 1), np.float32)
NOTHING = {
    "reshape": lambda x: mb.reshape(x=x, shape=[1, -1, 4]),
    "slice_by_index": lambda x: mb.slice_by_index(x=x, begin=[0, 0, 0], end=[1, 3, 4]),
    "slice_by_size": lambda x: mb.slice_by_size(x=x, begin=[0, 0, 0], size=[1, -1, 4]),
    "transpose": lambda x: mb.transpose(x=x, perm=[0, -2, 2]),
    "pad": lambda x: mb.pad(x=x, pad=[0, 0]),
    "tile": lambda x: mb.tile(x=x, reps=[1, 1, 1]),
    "add": lambda x: mb.add(x=ZERO, y=x),
    "sub": lambda x: mb.sub(x=x, y=ZERO),
    "mul": lambda x: mb.mul(x=ONE, y=x),
    "real_div": lambda x: mb.real_div(x=x, y=ONE),
    "pow": lambda x: mb.pow(x=x, y=ONE),
}
SOMETHING = {
    "rounded down": lambda x: mb.floor_div(x=x, y=ONE),
    "backwards": lambda x: mb.slice_by_index(x=x, begin=[0, 2, 0], end=[1, -4, 4], stride=[1, -1, 1]),
    "turned": lambda x: mb.transpose(x=mb.slice_by_size(x=x, begin=[0, 0, 0], size=[1, 3, 3]), perm=[0, 2, 1]),
    "from zero": lambda x: mb.sub(x=ZERO, y=x),
    "one over": lambda x: mb.real_div(x=ONE, y=x),
    "widened": lambda x: mb.add(x=x, y=np.zeros((2, 1, 1), np.float32)),
    "zero and one": lambda x: mb.mul(x=x, y=np.array([1, 1, 0, 1], np.float32)),
    "half a pixel": lambda x: mb.squeeze(
        x=mb.upsample_bilinear(
            x=mb.expand_dims(x=x, axes=[0]),
            scale_factor_height=1.25,
            scale_factor_width=1.0,
            align_corners=False,
        ),
        axes=[0],
    ),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_does_nothing_goes(program_of, name):
    program = program_of(lambda x: mb.exp(x=NOTHING[name](x)), np.ones((1, 3, 4), np.float32))
    assert len(program.operations) == 2
    assert [o.kind for o in drop_identities(program).operations] == ["exp"]


@pytest.mark.parametrize("name", SOMETHING)
def test_what_looks_as_if_it_did_nothing_stays(program_of, name):
    program = program_of(lambda x: mb.exp(x=SOMETHING[name](x)), np.ones((1, 3, 4), np.float32))
    assert len(program.operations) >= 2
    assert len(drop_identities(program).operations) == len(program.operations)


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

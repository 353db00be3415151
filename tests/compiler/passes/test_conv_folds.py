"""What is taken into a convolution gives the same numbers as before."""

from dataclasses import replace

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.conv_folds import fold_input_scaling, fold_scales, merge_pads
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.program import Operation, Value

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def on_pixels(program):
    """The program with its input as uint8 pixels, as a model with an image has it."""
    (x,) = program.inputs
    _, channels, height, width = x.shape
    pixels = Value("pixels", (1, height, width, channels), "uint8")
    image = Operation("image", {"x": pixels, "colour": "RGB", "dtype": x.dtype}, (x,))
    return replace(program, inputs=(pixels,), operations=(image, *program.operations))


def kinds(program):
    return [operation.kind for operation in program.operations]


@pytest.fixture
def same(program_of, run_program):
    """same(one_pass, body, x): the program after the pass, which gave what it gave before."""

    def compare(one_pass, body, x):
        before = program_of(body, x)
        after = one_pass(before)
        for old, new in zip(run_program(before, x), run_program(after, x), strict=True):
            np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-5)
        return after

    return compare


def test_a_pad_becomes_the_padding_of_its_convolution(same):
    weight = values(4, 2, 3, 3)
    after = same(
        merge_pads,
        lambda x: mb.conv(
            x=mb.pad(x=x, pad=[0, 0, 0, 0, 0, 1, 2, 1]),
            weight=weight,
            pad_type="custom",
            pad=[1, 0, 0, 1],
            strides=[2, 1],
        ),
        values(1, 2, 7, 8),
    )
    assert kinds(after) == ["conv"]


@pytest.mark.parametrize(
    "border",
    [
        lambda x: mb.pad(x=x, pad=[1, 1, 1, 1], mode="reflect"),
        lambda x: mb.pad(x=x, pad=[1, 1, 1, 1], constant_val=1.0),
        lambda x: mb.pad(x=x, pad=[0, 0, 1, 0, 0, 0, 0, 0]),
    ],
)
def test_a_pad_of_something_else_stays(same, border):
    def body(x):
        wide = border(x)
        return mb.conv(x=wide, weight=values(4, wide.shape[1], 3, 3))

    after = same(merge_pads, body, values(1, 3, 7, 8))
    assert kinds(after) == ["pad", "conv"]


def test_a_pad_that_something_else_reads_stays(same):
    def body(x):
        wide = mb.pad(x=x, pad=[1, 1, 1, 1])
        return mb.conv(x=wide, weight=values(2, 2, 3, 3)), mb.relu(x=wide)

    assert "pad" in kinds(same(merge_pads, body, values(1, 2, 5, 5)))


def test_batch_norm_scale_and_offset_go_into_the_weights(same):
    c = 4

    def body(x):
        y = mb.conv(x=x, weight=values(c, 2, 3, 3), bias=values(c))
        y = mb.batch_norm(
            x=y, mean=values(c, seed=1), variance=np.abs(values(c, seed=2)) + 0.5, gamma=values(c, seed=3)
        )
        y = mb.mul(x=y, y=values(c, 1, 1, seed=4))
        y = mb.sub(x=y, y=values(1, c, 1, 1, seed=5))
        return mb.real_div(x=mb.add(x=y, y=np.float32(0.5)), y=np.float32(4))

    assert kinds(same(fold_scales, body, values(2, 2, 6, 5))) == ["conv"]


def test_what_differs_along_space_stays(same):
    def body(x):
        return mb.mul(x=mb.conv(x=x, weight=values(4, 2, 1, 1)), y=values(1, 5, seed=1))

    assert kinds(same(fold_scales, body, values(1, 2, 6, 5))) == ["conv", "mul"]


def test_an_operation_with_several_results_stays(same):
    def body(x):
        return mb.split(x=mb.conv(x=x, weight=values(4, 2, 1, 1)), num_splits=2, axis=1)

    assert kinds(same(fold_scales, body, values(1, 2, 6, 5))) == ["conv", "split"]


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 1, 1, 1, 1)])
def test_what_makes_the_result_larger_stays(same, shape):
    def body(x):
        return mb.mul(x=mb.conv(x=x, weight=values(1, 2, 1, 1)), y=values(*shape, seed=1))

    assert kinds(same(fold_scales, body, values(1, 2, 6, 5))) == ["conv", "mul"]


def test_a_convolution_with_two_readers_keeps_its_weights(same):
    def body(x):
        y = mb.conv(x=x, weight=values(4, 2, 1, 1))
        return mb.mul(x=y, y=np.float32(2)), mb.relu(x=y)

    assert kinds(same(fold_scales, body, values(1, 2, 6, 5))) == ["conv", "mul", "relu"]


@pytest.mark.parametrize("routed", [False, True])
@pytest.mark.parametrize("pad_type", ["valid", "same"])
@pytest.mark.parametrize(
    "scaled",
    [
        lambda x: mb.mul(x=mb.sub(x=x, y=np.float32(127)), y=np.float32(1 / 128)),
        lambda x: mb.add(x=mb.mul(x=x, y=np.float32(1 / 127.5)), y=np.float32(-1)),
        lambda x: mb.real_div(x=x, y=np.float32(255)),
    ],
)
def test_scaling_of_pixels_goes_into_the_first_convolution_up_to_the_border(
    program_of, run_program, scaled, pad_type, routed
):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 9, 8, 3), dtype=np.uint8)
    weight, bias = values(4, 3, 3, 3), values(4, seed=1)
    body = lambda x: mb.conv(x=scaled(x), weight=weight, bias=bias, pad_type=pad_type, strides=[2, 2])  # noqa: E731
    before = on_pixels(program_of(body, np.zeros((1, 3, 9, 8), np.float32)))
    after = fold_input_scaling(before)
    assert kinds(after) == (["image", "conv"] if pad_type == "valid" else ["image", "pad", "conv"])
    (old,), (new,) = run_program(before, pixels), run_program(route_convolutions(after) if routed else after, pixels)
    np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-4)


def test_scaling_stays_in_half_precision(program_of):
    def body(x):
        return mb.conv(x=mb.mul(x=x, y=np.float16(1 / 255)), weight=values(4, 3, 3, 3).astype(np.float16))

    program = on_pixels(program_of(body, np.zeros((1, 3, 9, 8), np.float16)))
    assert kinds(fold_input_scaling(program)) == ["image", "mul", "conv"]


@pytest.mark.parametrize(
    "scale",
    [
        lambda y: mb.real_div(x=y, y=np.array([1, 0, 2, 3], np.float32).reshape(4, 1, 1)),
        lambda y: mb.mul(x=y, y=np.array([1, np.inf, 2, np.nan], np.float32).reshape(4, 1, 1)),
        lambda y: mb.batch_norm(x=y, mean=values(4), variance=np.array([1, 0, 2, -3], np.float32), epsilon=0.0),
    ],
)
def test_a_scale_that_is_no_number_stays_outside(same, scale):
    """A weight of zero times infinity would be none, where the file divides what the whole sum gave."""
    weight = values(4, 2, 3, 3)
    weight[1] = 0
    after = same(fold_scales, lambda x: scale(mb.conv(x=x, weight=weight)), values(1, 2, 7, 8))
    assert len(after.operations) == 2


@pytest.mark.parametrize(("number", "kept"), [(1e-6, 2), (60000.0, 2), (0.25, 1), (0.0, 1)])
def test_halves_take_a_scale_only_where_they_keep_their_digits(program_of, number, kept):
    x = values(1, 2, 7, 8).astype(np.float16)
    weight = (4 * values(4, 2, 3, 3)).astype(np.float16)
    program = program_of(lambda x: mb.mul(x=mb.conv(x=x, weight=weight), y=np.full((4, 1, 1), number, np.float16)), x)
    assert len(fold_scales(program).operations) == kept

"""A flexible model runs at every size that its file allows, and at no other."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import get_new_symbol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.compiler import compile_model

pytestmark = pytest.mark.mlx

WEIGHT = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
RNG = np.random.default_rng(1)


def means(image):
    """The mean over all pixels of a convolution, by way of shapes that are computed while it runs."""
    y = mb.conv(x=image, weight=WEIGHT, pad_type="same", strides=[2, 2])
    sizes = mb.shape(x=y)
    channels = mb.slice_by_index(x=sizes, begin=[1], end=[2])
    y = mb.reshape(x=y, shape=mb.concat(values=[np.int32([1]), channels, np.int32([-1])], axis=0))
    return mb.reduce_mean(x=y, axes=[2], keep_dims=False, name="out")


@pytest.fixture(scope="module")
def ranged(tmp_path_factory):
    symbols = get_new_symbol(), get_new_symbol()
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, *symbols))], opset_version=ct.target.iOS16)(means)
    shape = ct.Shape(shape=(1, 3, ct.RangeDim(8, 24, default=10), ct.RangeDim(8, 24, default=12)))
    model = ct.convert(program, inputs=[ct.ImageType(name="image", shape=shape)], skip_model_load=True)
    path = tmp_path_factory.mktemp("ranged") / "ranged.mlpackage"
    model.save(str(path))
    return path


@pytest.fixture(scope="module")
def model(ranged):
    return compile_model(ranged, precision="fp32")


def fixed(converted, size):
    """The same network for one size."""
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, *size))], opset_version=ct.target.iOS16)(means)
    return converted(program, inputs=[ct.ImageType(name="image", shape=(1, 3, *size))])


def test_the_default_size_is_what_the_file_says(model):
    (image,) = model.facts.inputs
    assert image.shape == (1, 10, 12, 3)
    assert image.flexible
    assert (model.facts.image.width, model.facts.image.height) == (12, 10)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.tuples(st.integers(8, 24), st.integers(8, 24)), batch=st.integers(1, 2))
def test_every_allowed_size_runs_like_a_model_of_that_size(model, converted, size, batch):
    pixels = RNG.integers(0, 256, (batch, *size, 3), dtype=np.uint8)
    wanted = compile_model(fixed(converted, size), precision="fp32")(image=pixels)["out"]
    np.testing.assert_allclose(model(image=pixels)["out"], wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("size", [(7, 8), (8, 25), (30, 30)])
def test_another_size_is_refused_with_what_is_allowed(model, size):
    with pytest.raises(ValueError, match=r"1 × 8…24 × 8…24 × 3"):
        model(image=np.zeros((1, *size, 3), np.uint8))


def test_each_size_has_its_own_place_in_the_cache(ranged, tmp_path):
    small, large = np.full((1, 8, 8, 3), 9, np.uint8), np.full((1, 24, 24, 3), 9, np.uint8)
    first = compile_model(ranged, precision="fp32", cache_folder=tmp_path)
    wanted = [first(image=pixels)["out"] for pixels in (small, large)]
    assert len(list(tmp_path.glob("*.mlxfn"))) == 3
    second = compile_model(ranged, precision="fp32", cache_folder=tmp_path)
    for pixels, answer in zip((small, large), wanted, strict=True):
        np.testing.assert_array_equal(second(image=pixels)["out"], answer)
    assert len(list(tmp_path.glob("*.mlxfn"))) == 3


def test_shapes_that_are_listed_are_allowed_and_no_others(converted):
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, get_new_symbol()))], opset_version=ct.target.iOS16)(
        lambda x: mb.reduce_sum(x=x, axes=[1], name="total")
    )
    shapes = ct.EnumeratedShapes(shapes=[(1, 4), (1, 6)], default=(1, 6))
    model = compile_model(converted(program, inputs=[ct.TensorType(name="x", shape=shapes)]), precision="fp32")
    assert model.inputs[0].shape == (1, 6)
    for length in (4, 6):
        x = RNG.standard_normal((3, length)).astype(np.float32)
        np.testing.assert_allclose(model(x=x)["total"], x.sum(axis=1), rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="1 × 6 or 1 × 4"):
        model(x=np.zeros((1, 5), np.float32))


def test_a_flexible_first_axis_is_one_run_of_that_length(converted):
    program = mb.program(input_specs=[mb.TensorSpec(shape=(get_new_symbol(), 2))], opset_version=ct.target.iOS16)(
        lambda x: mb.reduce_sum(x=x, axes=[0, 1], name="total")
    )
    shape = ct.Shape(shape=(ct.RangeDim(1, 5), 2))
    model = compile_model(converted(program, inputs=[ct.TensorType(name="x", shape=shape)]), precision="fp32")
    np.testing.assert_allclose(model(x=np.ones((5, 2)))["total"], 10)
    # 6 is no length of one run; 2 runs of 3 it can be.
    np.testing.assert_allclose(model(x=np.ones((6, 2)))["total"], [6, 6])

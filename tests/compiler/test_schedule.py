"""A schedule gives what the program gives, also when it comes back from its file."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler import compile_model
from app.compiler.build import build
from app.compiler.passes.cpu_functions import route_functions
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.lanes.in_lanes import in_lanes
from app.compiler.schedule import load, schedule

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1, 8, 40, 40)).astype(np.float32)


@pytest.fixture(scope="module")
def program(program_of):
    weight = RNG.standard_normal((8, 8, 3, 3)).astype(np.float32) / 9

    def body(x):
        y = mb.clip(x=mb.conv(x=x, weight=weight, pad_type="same"), alpha=-0.5, beta=2.5)
        left, right = mb.split(x=y, num_splits=2, axis=1)
        return mb.softmax(x=mb.reshape(x=mb.concat(values=[right, left], axis=1), shape=[1, -1])), mb.relu(x=x)

    return in_lanes(route_convolutions(route_functions(program_of(body, X))), 2)


def numpy_of(results):
    mx.eval(results)
    return [np.array(result) for result in results]


def test_the_lanes_give_what_the_program_gives(program):
    assert {operation.lane for operation in program.operations} == {0, 1}
    wanted = numpy_of(build(program)(mx.array(X)))
    function = schedule(program).function()
    before = mx.default_stream(mx.cpu)
    for _ in range(3):
        for given, expected in zip(numpy_of(function(mx.array(X))), wanted, strict=True):
            np.testing.assert_array_equal(given, expected)
    assert mx.default_stream(mx.cpu) == before


def test_another_default_stream_is_put_back(program):
    function = schedule(program).function()
    other = mx.new_stream(mx.cpu)
    with mx.stream(other):
        function(mx.array(X))
        assert mx.default_stream(mx.cpu) == other


def test_a_schedule_comes_back_from_its_file(program, tmp_path):
    steps = schedule(program)
    file = tmp_path / "steps.safetensors"
    steps.save(file)
    again = load(file)
    file.unlink()
    assert [step.kind for step in again.steps] == [step.kind for step in steps.steps]
    for given, expected in zip(
        numpy_of(again.function()(mx.array(X))), numpy_of(steps.function()(mx.array(X))), strict=True
    ):
        np.testing.assert_array_equal(given, expected)


@pytest.fixture(scope="module")
def large_package(tmp_path_factory):
    import coremltools as ct

    weight = RNG.standard_normal((8, 3, 3, 3)).astype(np.float32) / 9

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 64, 64))], opset_version=ct.target.iOS16)
    def network(image):
        return mb.reduce_mean(x=mb.relu(x=mb.conv(x=image, weight=weight)), axes=[2, 3], name="out")

    model = ct.convert(
        network,
        inputs=[ct.ImageType(name="image", shape=(1, 3, 64, 64))],
        minimum_deployment_target=ct.target.iOS16,
        skip_model_load=True,
    )
    path = tmp_path_factory.mktemp("models") / "large.mlpackage"
    model.save(str(path))
    return path


@pytest.mark.parametrize(("threads", "suffix"), [(1, ".mlxfn"), (2, ".safetensors"), (3, ".safetensors")])
def test_the_cache_keeps_what_suits_the_threads(large_package, tmp_path, monkeypatch, threads, suffix):
    monkeypatch.setattr("app.compiler.source.computing_threads", lambda: threads)
    pixels = RNG.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    first = compile_model(large_package, precision="fp32", cache_folder=tmp_path)
    again = compile_model(large_package, precision="fp32", cache_folder=tmp_path)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", suffix}
    uncached = compile_model(large_package, precision="fp32")
    for images in (pixels[:1], pixels):
        wanted = uncached(image=images)["out"]
        np.testing.assert_allclose(first(image=images)["out"], wanted, rtol=1e-5)
        np.testing.assert_allclose(again(image=images)["out"], wanted, rtol=1e-5)

"""The networks of a pipeline run as one model; what is no network is named."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.models import datatypes, neural_network
from coremltools.proto import Model_pb2

from app.compiler import compile_model, read_model_facts
from app.errors import ModelUnreadable, UnsupportedModel, UnsupportedOps

pytestmark = pytest.mark.mlx

RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((64, 3, 3, 3)).astype(np.float32)
HEAD = RNG.standard_normal((32, 64)).astype(np.float32) / 100
PIXELS = RNG.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
LABELS = list(range(100, 132))


def program(*shape):
    return mb.program(input_specs=[mb.TensorSpec(shape=shape)], opset_version=ct.target.iOS16)


def features(image):
    return mb.reduce_mean(x=mb.conv(x=image, weight=KERNEL), axes=[2, 3], keep_dims=False, name="features")


def scores(features):
    return mb.softmax(x=mb.linear(x=features, weight=HEAD), axis=1, name="scores")


def model(function, **options):
    return ct.convert(function, minimum_deployment_target=ct.target.iOS16, skip_model_load=True, **options)


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    """Two ML Programs in a row, each with its own weight file, the second a classifier of whole numbers."""
    first = model(program(1, 3, 8, 8)(features), inputs=[ct.ImageType(name="image", shape=(1, 3, 8, 8))])
    second = model(program(1, 64)(scores), classifier_config=ct.ClassifierConfig(LABELS))
    path = tmp_path_factory.mktemp("chained") / "chained.mlpackage"
    ct.utils.make_pipeline(first, second).save(str(path))
    return path


def test_stages_run_in_a_row_like_one_network(chained, converted):
    def whole(image):
        return scores(features(image))

    single = converted(program(1, 3, 8, 8)(whole), inputs=[ct.ImageType(name="image", shape=(1, 3, 8, 8))])
    wanted = compile_model(single, precision="fp32")(image=PIXELS)["scores"]
    answer = compile_model(chained, precision="fp32")(image=PIXELS)
    np.testing.assert_allclose(answer["classLabel_probs"], wanted, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(answer["classLabel"], np.array(LABELS)[wanted.argmax(axis=1)])


def test_the_facts_of_a_chain_are_those_of_its_ends(chained):
    facts = read_model_facts(chained)
    assert facts.kind == "pipeline"
    assert [feature.name for feature in facts.inputs] == ["image"]
    assert facts.outputs == ("classLabel", "classLabel_probs")
    assert facts.labels == tuple(LABELS)
    assert facts.left_out == ()


def network(name_in, name_out, *, image=False, layer="RELU"):
    array = datatypes.Array(3, 4, 4)
    builder = neural_network.NeuralNetworkBuilder([(name_in, array)], [(name_out, array)])
    builder.add_activation("layer", layer, name_in, name_out)
    if image:
        builder.set_pre_processing_parameters(image_input_names=[name_in])
    return builder.spec


def other(kind, *outputs):
    """A stage that is no network."""
    stage = Model_pb2.Model(specificationVersion=4)
    getattr(stage, kind).SetInParent()
    for name in outputs:
        stage.description.output.add(name=name).type.multiArrayType.dataType = 65568
    return stage


def pipeline(path, stages, *, names=()):
    whole = Model_pb2.Model(specificationVersion=4)
    whole.pipeline.models.extend(stages)
    whole.pipeline.names.extend(names)
    whole.description.input.extend(stages[0].description.input)
    whole.description.output.extend(stages[-1].description.output)
    path.write_bytes(whole.SerializeToString())
    return path


def test_stages_that_are_no_networks_are_left_out_and_named(tmp_path):
    path = pipeline(
        tmp_path / "p.mlmodel",
        [network("image", "y", image=True), other("nonMaximumSuppression", "boxes"), other("glmClassifier")],
        names=["net", "nms"],
    )
    facts = read_model_facts(path)
    assert facts.left_out == ("nms (nonMaximumSuppression)", "glmClassifier")
    assert facts.outputs == ("y",)
    pixels = RNG.integers(0, 256, (1, 4, 4, 3), dtype=np.uint8)
    answer = compile_model(path, precision="fp32")(image=pixels)
    np.testing.assert_array_equal(answer["y"].reshape(3, 4, 4), pixels[0].transpose(2, 0, 1))


def test_a_network_behind_what_does_not_run_is_left_out_too(tmp_path):
    stages = [network("image", "y", image=True), other("scaler", "z"), network("z", "w")]
    facts = read_model_facts(pipeline(tmp_path / "p.mlmodel", stages))
    assert facts.left_out == ("scaler", "neuralNetwork")
    assert facts.outputs == ("y",)


def test_an_inner_pipeline_counts_as_its_stages(tmp_path):
    inner = Model_pb2.Model(specificationVersion=4)
    inner.pipelineClassifier.pipeline.models.extend([network("y", "z"), other("supportVectorClassifier")])
    facts = read_model_facts(pipeline(tmp_path / "p.mlmodel", [network("image", "y", image=True), inner]))
    assert facts.left_out == ("supportVectorClassifier",)
    assert facts.outputs == ("z",)


def test_a_pipeline_without_a_network_is_refused_with_its_stages(tmp_path):
    path = pipeline(tmp_path / "p.mlmodel", [other("visionFeaturePrint", "f"), other("glmClassifier")])
    assert read_model_facts(path).left_out == ("visionFeaturePrint", "glmClassifier")
    with pytest.raises(UnsupportedModel, match="visionFeaturePrint, glmClassifier"):
        compile_model(path)


def test_an_empty_pipeline_holds_no_model(tmp_path):
    whole = Model_pb2.Model(specificationVersion=4)
    whole.pipeline.SetInParent()
    (tmp_path / "p.mlmodel").write_bytes(whole.SerializeToString())
    with pytest.raises(ModelUnreadable, match="no model"):
        compile_model(tmp_path / "p.mlmodel")


def test_stages_that_do_not_fit_together_are_refused(tmp_path):
    stages = [network("image", "y", image=True), network("y", "z", image=True)]
    with pytest.raises(UnsupportedModel, match="different forms"):
        compile_model(pipeline(tmp_path / "p.mlmodel", stages))


def test_a_picture_between_stages_is_bytes(tmp_path):
    first, second = network("image", "y", image=True), network("y", "z", image=True)
    first.neuralNetwork.layers[0].activation.linear.alpha = 0.75
    first.description.output[0].type.CopyFrom(second.description.input[0].type)
    pixels = RNG.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    answer = compile_model(pipeline(tmp_path / "p.mlmodel", [first, second]), precision="fp32")(image=pixels)
    wanted = np.round(pixels * 0.75).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(answer["z"].reshape(2, 3, 4, 4), wanted)


def test_stages_of_flexible_size_get_theirs_from_each_other(tmp_path):
    stages = [network("image", "y", image=True), network("y", "z")]
    sizes = stages[0].description.input[0].type.imageType.imageSizeRange
    for side in (sizes.widthRange, sizes.heightRange):
        side.lowerBound, side.upperBound = 2, 6
    between = stages[1].description.input[0].type.multiArrayType.shapeRange.sizeRanges
    for lower, upper in ((3, 3), (2, 6), (2, 6)):
        between.add(lowerBound=lower, upperBound=upper)
    model = compile_model(pipeline(tmp_path / "p.mlmodel", stages), precision="fp32")
    for size in ((4, 4), (6, 2)):
        pixels = RNG.integers(0, 256, (1, *size, 3), dtype=np.uint8)
        np.testing.assert_array_equal(model(image=pixels)["z"].reshape(3, *size), pixels[0].transpose(2, 0, 1))
    with pytest.raises(ValueError, match="2…6"):
        model(image=np.zeros((1, 7, 7, 3), np.uint8))


def test_operations_of_all_stages_are_refused_at_once(chained, tmp_path):
    import shutil

    path = shutil.copytree(chained, tmp_path / "odd.mlpackage")
    file = next(path.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    for stage, kind in zip(specification.pipeline.models, ("wrinkle", "blur"), strict=True):
        for block in stage.mlProgram.functions["main"].block_specializations.values():
            block.operations[-1].type = kind
    file.write_bytes(specification.SerializeToString())
    with pytest.raises(UnsupportedOps) as caught:
        compile_model(path)
    assert caught.value.fields["ops"] == ("blur", "wrinkle")

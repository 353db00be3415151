"""Compressed constants against coremltools' own decompression, bit for bit, in memory and through a file."""

import tracemalloc

import coremltools as ct
import coremltools.optimize.coreml as cto
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

from app.compiler.reading.constexpr import _looked_up
from app.compiler.reading.legalise import translate
from app.compiler.reading.package import open_package
from app.compiler.reading.read import read_program, read_specification

pytestmark = pytest.mark.coreml


def integers(bits, shape, signed=False, seed=0):
    """Numbers of a type that NumPy does not have, as coremltools marks it."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    dtype = types.nptype_from_builtin(types.get_nbits_int_builtin_type(bits, signed))
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def floats(shape, dtype=np.float16, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def some(shape):
    """A mask with about half of its bits set."""
    return integers(1, shape, seed=2)


def packed(numbers, bits):
    """iOS 16's way: numbers in a row of bits, the least significant first."""
    row = (numbers.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(row.reshape(-1).astype(np.uint8), bitorder="little")


def lut(bits, indices, table, **extra):
    return mb.constexpr_lut_to_dense(indices=integers(bits, indices), lut=table, **extra)


def sparse(mask, values):
    return mb.constexpr_sparse_to_dense(nonzero_data=values, mask=mask)


def sparse_lut(bits, shape, table, vector_axis=None):
    mask = some(shape)
    extra = {} if vector_axis is None else {"vector_axis": vector_axis}
    return mb.constexpr_lut_to_sparse(
        indices_mask=mask, indices_nonzero_data=integers(bits, int((mask != 0).sum())), lut=table, **extra
    )


def joint_lut(bits, table_bits, blocks):
    """A palette whose entries are whole numbers with a scale."""
    entries = mb.constexpr_blockwise_shift_scale(
        data=integers(table_bits, (*blocks, 2**bits, 1), signed=True), scale=floats((*blocks, 1, 1))
    )
    return mb.constexpr_lut_to_dense(indices=integers(bits, (8, 6)), lut=entries)


def scaled_lut():
    """A palette of whole numbers, scaled after it was looked up."""
    dense = mb.constexpr_lut_to_dense(indices=integers(4, (8, 6)), lut=integers(8, (1, 1, 16, 1), signed=True))
    return mb.constexpr_blockwise_shift_scale(data=dense, scale=floats((8, 1)))


def sparse_scaled_lut():
    mask, values = sparse_lut(4, (8, 6), integers(8, (1, 1, 16, 1), signed=True))
    mask, values = mb.constexpr_sparse_blockwise_shift_scale(data_mask=mask, nonzero_data=values, scale=floats((8, 1)))
    return sparse(mask, values)


def sparse_scaled(bits, signed, scale, offset=None):
    mask = some((8, 6))
    data = integers(bits, int((mask != 0).sum()), signed)
    extra = {} if offset is None else {"offset": offset}
    return sparse(*mb.constexpr_sparse_blockwise_shift_scale(data_mask=mask, nonzero_data=data, scale=scale, **extra))


def in_blocks(bits, signed, blocks, offset=None, dtype=np.float16):
    extra = {} if offset is None else {"offset": offset}
    return mb.constexpr_blockwise_shift_scale(data=integers(bits, (8, 6), signed), scale=floats(blocks, dtype), **extra)


IOS18 = {
    "int8 per tensor": lambda: in_blocks(8, True, (1, 1)),
    "int8 per channel": lambda: in_blocks(8, True, (8, 1)),
    "int4 per channel": lambda: in_blocks(4, True, (8, 1)),
    "int4 in blocks": lambda: in_blocks(4, True, (8, 3)),
    "int4 in blocks of both axes": lambda: in_blocks(4, True, (2, 3)),
    "uint4 with offsets": lambda: in_blocks(4, False, (8, 2), integers(4, (8, 2), seed=3)),
    "int4 with offsets": lambda: in_blocks(4, True, (4, 2), integers(4, (4, 2), True, seed=3)),
    "uint8 with offsets": lambda: in_blocks(8, False, (8, 1), integers(8, (8, 1), seed=3)),
    "uint8 with float offsets": lambda: in_blocks(8, False, (8, 1), floats((8, 1), seed=3)),
    "float32 scales": lambda: in_blocks(8, True, (8, 1), dtype=np.float32),
    **{
        f"palette of {bits} bits": lambda bits=bits: lut(bits, (8, 6), floats((1, 1, 2**bits, 1)))
        for bits in (1, 2, 3, 4, 6, 8)
    },
    "palettes by groups": lambda: lut(4, (8, 6), floats((4, 1, 16, 1))),
    "palettes by groups of both axes": lambda: lut(2, (8, 6), floats((4, 3, 4, 1))),
    "float32 palette": lambda: lut(4, (8, 6), floats((1, 1, 16, 1), np.float32)),
    "vectors along outputs": lambda: lut(2, (4, 6), floats((1, 1, 4, 2)), vector_axis=0),
    "vectors along inputs": lambda: lut(4, (8, 3), floats((1, 1, 16, 2)), vector_axis=1),
    "vectors along the last axis": lambda: lut(4, (8, 2), floats((1, 1, 16, 3)), vector_axis=-1),
    "vectors by groups": lambda: lut(4, (4, 6), floats((2, 3, 16, 2)), vector_axis=0),
    "vectors by groups along inputs": lambda: lut(3, (8, 3), floats((4, 1, 8, 2)), vector_axis=1),
    "sparse": lambda: sparse(some((8, 6)), floats(int((some((8, 6)) != 0).sum()))),
    "sparse palette": lambda: sparse(*sparse_lut(4, (8, 6), floats((1, 1, 16, 1)))),
    "sparse palettes by groups": lambda: sparse(*sparse_lut(2, (8, 6), floats((4, 1, 4, 1)))),
    "sparse vectors": lambda: sparse(*sparse_lut(2, (4, 6), floats((1, 1, 4, 2)), vector_axis=0)),
    "sparse int8": lambda: sparse_scaled(8, True, floats((8, 1))),
    "sparse int4 in blocks": lambda: sparse_scaled(4, True, floats((8, 3))),
    "sparse uint4 with offsets": lambda: sparse_scaled(4, False, floats((8, 1)), integers(4, (8, 1), seed=3)),
    "palette of int8": lambda: joint_lut(4, 8, (1, 1)),
    "palettes of int8 by groups": lambda: joint_lut(2, 8, (4, 1)),
    "int8 palette, scaled": scaled_lut,
    "sparse int8 palette, scaled": sparse_scaled_lut,
    "cast": lambda: mb.constexpr_cast(source_val=floats((8, 6)), output_dtype="fp32"),
}


def packed_lut(bits):
    numbers = np.random.default_rng(0).integers(0, 2**bits, (8, 6))
    return mb.constexpr_lut_to_dense(
        lut=floats(2**bits), indices=packed(numbers, bits), shape=np.array([8, 6], np.uint32)
    )


def packed_sparse():
    mask = np.random.default_rng(0).integers(0, 2, (8, 6))
    return mb.constexpr_sparse_to_dense(
        nonzero_data=floats(int(mask.sum())), mask=packed(mask, 1), shape=np.array([8, 6], np.uint32)
    )


def affine(signed, zero_point, scale, axis):
    data = integers(8, (8, 6), signed)
    return mb.constexpr_affine_dequantize(
        quantized_data=data, zero_point=zero_point.astype(data.dtype), scale=scale, axis=axis
    )


IOS16 = {
    **{f"packed palette of {bits} bits": lambda bits=bits: packed_lut(bits) for bits in (1, 2, 4, 6, 8)},
    "packed sparse": packed_sparse,
    "affine per tensor": lambda: affine(False, np.uint8(120), np.float16(0.03), 0),
    "affine per output": lambda: affine(True, np.arange(8), floats(8), 0),
    "affine per input": lambda: affine(False, np.arange(6), floats(6, np.float32), 1),
    "cast": lambda: mb.constexpr_cast(source_val=floats((8, 6)), output_dtype="fp32"),
}
CASES = [(IOS18, name, ct.target.iOS18) for name in IOS18] + [(IOS16, name, ct.target.iOS16) for name in IOS16]


def saved(path, name, table, target):
    """A package whose one weight is compressed in that way, and the operation that stands for this weight."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 6))], opset_version=target)
    def program(x):
        weight = table[name]()
        return mb.linear(x=mb.cast(x=x, dtype="fp16") if weight.dtype == types.fp16 else x, weight=weight)

    model = ct.convert(
        program,
        minimum_deployment_target=target,
        compute_precision=ct.precision.FLOAT32,
        pass_pipeline=ct.PassPipeline.EMPTY,
        skip_model_load=True,
    )
    model.save(str(path))
    (linear,) = program.functions["main"].find_ops(op_type="linear")
    return linear.weight.op


def decompressed(op):
    """As coremltools' WeightDecompressor does it: every operation by itself, on plain constants."""
    if op.op_type == "const":
        return (op.val.val,)
    given = {}
    for name, var in op.inputs.items():
        if var is not None:
            given[name] = decompressed(var.op)[var.op.outputs.index(var)]
    if op.op_type == "constexpr_cast":
        return (np.float32(given["source_val"]),)
    order = {
        "constexpr_affine_dequantize": ("quantized_data", "zero_point", "scale", "axis"),
        "constexpr_blockwise_shift_scale": ("data", "scale", "offset"),
        "constexpr_lut_to_dense": ("lut", "indices", "shape")
        if "shape" in given
        else ("indices", "lut", "vector_axis"),
        "constexpr_sparse_to_dense": ("nonzero_data", "mask", "shape")
        if "shape" in given
        else ("nonzero_data", "mask"),
        "constexpr_lut_to_sparse": ("indices_mask", "indices_nonzero_data", "lut", "vector_axis"),
        "constexpr_sparse_blockwise_shift_scale": ("data_mask", "nonzero_data", "scale", "offset"),
    }[op.op_type]
    result = op.decompress(*(given.get(name) for name in order))
    return result if isinstance(result, tuple) else (result,)


def weights_of(path, kind):
    """The constant weights of the operations of a kind in a file, as the compiler reads them."""
    package = open_package(path)
    program = translate(read_program(package, read_specification(package), None))
    return [operation.constant("weight") for operation in program.operations if operation.kind == kind]


@pytest.mark.parametrize(("table", "name", "target"), CASES, ids=[f"{t.name} {n}" for _, n, t in CASES])
def test_a_compressed_weight_in_a_file(tmp_path, table, name, target):
    path = tmp_path / "compressed.mlpackage"
    (wanted,) = decompressed(saved(path, name, table, target))
    (given,) = weights_of(path, "linear")
    assert given.dtype == wanted.dtype
    np.testing.assert_array_equal(given, wanted)


def quantized(**options):
    config = cto.OptimizationConfig(global_config=cto.OpLinearQuantizerConfig(weight_threshold=0, **options))
    return lambda model, joint=False: cto.linear_quantize_weights(model, config, joint_compression=joint)


def palettized(**options):
    config = cto.OptimizationConfig(global_config=cto.OpPalettizerConfig(mode="uniform", weight_threshold=0, **options))
    return lambda model, joint=False: cto.palettize_weights(model, config, joint_compression=joint)


def pruned(model, joint=False):
    config = cto.OptimizationConfig(global_config=cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=0))
    return cto.prune_weights(model, config, joint_compression=joint)


@pytest.mark.parametrize(
    ("target", "steps"),
    [
        (ct.target.iOS16, [quantized(mode="linear_symmetric", dtype="int8")]),
        (ct.target.iOS16, [quantized(mode="linear", dtype="uint8")]),
        (ct.target.iOS16, [palettized(nbits=6)]),
        (ct.target.iOS16, [pruned]),
        (ct.target.iOS18, [quantized(mode="linear", dtype="int4", granularity="per_block", block_size=4)]),
        (ct.target.iOS18, [quantized(mode="linear_symmetric", dtype="uint4", granularity="per_channel")]),
        (ct.target.iOS18, [palettized(nbits=3, granularity="per_grouped_channel", group_size=4)]),
        (ct.target.iOS18, [palettized(nbits=4, enable_per_channel_scale=True)]),
        (ct.target.iOS18, [pruned, palettized(nbits=4)]),
        (ct.target.iOS18, [pruned, quantized(mode="linear_symmetric", dtype="int8")]),
        (
            ct.target.iOS18,
            [palettized(nbits=4), quantized(mode="linear_symmetric", dtype="int8", granularity="per_tensor")],
        ),
    ],
)
def test_what_coremltools_compresses(tmp_path, target, steps):
    """One convolution and one product through coremltools' compression, its decompression against ours."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 8, 5, 5), dtype=types.fp16)], opset_version=target)
    def program(x):
        y = mb.conv(x=x, weight=floats((16, 8, 3, 3)))
        return mb.linear(x=mb.reduce_mean(x=y, axes=[2, 3], keep_dims=False), weight=floats((8, 16)))

    model = ct.convert(program, minimum_deployment_target=target, skip_model_load=True)
    for i, step in enumerate(steps):
        model = step(model, i > 0)
    compressed, plain = tmp_path / "compressed.mlpackage", tmp_path / "plain.mlpackage"
    model.save(str(compressed))
    cto.decompress_weights(model).save(str(plain))
    assert "constexpr_" in str(model.get_spec().mlProgram)
    for kind in ("conv", "linear"):
        (given,), (wanted,) = weights_of(compressed, kind), weights_of(plain, kind)
        assert given.dtype == wanted.dtype
        np.testing.assert_array_equal(given, wanted)


def test_constants_of_dequantize_are_expanded():
    data, scale = integers(8, (3, 4), True), floats(3)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 4), dtype=types.fp16)], opset_version=ct.target.iOS17)
    def program(x):
        weight = mb.dequantize(input=data, scale=scale, zero_point=integers(8, 3, True, seed=3), axis=0)
        return mb.linear(x=x, weight=weight)

    (maker,) = program.functions["main"].find_ops(op_type="dequantize")
    wanted = maker.materialized_val_inference()
    (linear,) = [o for o in translate(program.functions["main"]).operations if o.kind == "linear"]
    given = linear.constant("weight")
    assert given is not None
    assert given.dtype == np.float16
    np.testing.assert_array_equal(given, wanted)


def test_a_large_palette_is_not_copied_for_every_weight():
    """256 entries for each of a million weights would be half a gigabyte."""
    indices, table = integers(8, (1000, 1000)), floats((1, 1, 256, 1))
    tracemalloc.start()
    given = _looked_up(indices, table, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(given, table.reshape(-1)[indices])
    assert peak < 30e6

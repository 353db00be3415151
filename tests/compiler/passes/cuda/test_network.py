"""The table of a network means the same as the operations that it stands for: here NumPy works through its steps."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.cuda.arithmetic import ACTIVATIONS
from app.compiler.cuda.network import HEAD, KINDS, STEP
from app.compiler.passes.attention import recognise_attention, take_before_transpose
from app.compiler.passes.cuda import network as cuda_network
from app.compiler.passes.cuda.network import one_kernel
from app.compiler.passes.cuda.routes import route_on_cuda
from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 0.3).astype(np.float32)


def real(bits):
    return np.int32(bits).view(np.float32)


def activated(v, numbers):
    kind, a, b = ACTIVATIONS[numbers[0]], real(numbers[1]), real(numbers[2])
    gate = np.clip(a * v + b, 0, 1)
    known = {"none": v, "relu": np.maximum(v, 0), "clip": np.clip(v, a, b), "hard_swish": v * gate}
    known |= {"sigmoid": 1 / (1 + np.exp(-v)), "sigmoid_hard": gate, "silu": v / (1 + np.exp(-v))}
    return known[kind]


def windows(x, images, height, width, channels, out, kernel, strides, before, dilations):
    """N, OH, OW, kH, kW, C; zero outside."""
    x = x[: images * height * width * channels].reshape(images, height, width, channels)
    result = np.zeros((images, *out, *kernel, channels), np.float64)
    for oh, ow, kh, kw in np.ndindex(*out, *kernel):
        ih, iw = (
            o * s - b + k * d for o, s, b, k, d in zip((oh, ow), strides, before, (kh, kw), dilations, strict=True)
        )
        if 0 <= ih < height and 0 <= iw < width:
            result[:, oh, ow, kh, kw] = x[:, ih, iw]
    return result


def product(p, x, other, third, w, bias, factor):
    rows, columns, depth, height, width, channels, out_h, out_w, kernel_w = p[:9]
    if p[15] & 16:
        a = x[: rows * depth].reshape(rows, depth)
    else:
        kernel = (depth // channels // kernel_w, kernel_w)
        images = rows // (out_h * out_w)
        a = windows(x, images, height, width, channels, (out_h, out_w), kernel, p[9:11], p[11:13], p[13:15])
        a = a.reshape(rows, depth)
    y = a @ w[: columns * depth].reshape(columns, depth).T
    y = y + bias[:columns] if p[15] & 1 else y
    y = y * factor[:columns] if p[15] & 2 else y
    residual = other[: rows * columns].reshape(rows, columns)
    y = y + residual if p[15] & 8 else y
    y = activated(y, p[16:19])
    return y + residual if p[15] & 12 == 4 else y


def depthwise(p, x, other, third, w, bias, factor, size):
    images, height, width, channels, out_h, out_w = p[:6]
    taps = windows(x, images, height, width, channels, (out_h, out_w), (size, size), (p[6], p[15]), p[7:9], p[9:11])
    y = (taps * w[: size * size * channels].reshape(size, size, channels)).sum((3, 4))
    return activated(y + bias[:channels] if p[11] else y, p[12:15])


def layer_norm(p, x, other, third, w, gamma, beta, pieces):
    rows = x[: pieces * p[1]].reshape(pieces, p[1])
    y = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + real(p[3]))
    y = y * gamma[: p[1]] if p[2] & 1 else y
    return y + beta[: p[1]] if p[2] & 2 else y


def attention(p, q, k, v, depth):
    def part(x, rows, strides):
        view = [int(s) * 8 for s in (*strides, 1)]
        return np.lib.stride_tricks.as_strided(x, (p[0], p[1], rows, depth), view)

    scores = np.einsum("bhnd,bhmd->bhnm", part(q, p[2], p[4:7]), part(k, p[3], p[7:10])) * real(p[13])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhnm,bhmd->bnhd", weights, part(v, p[3], p[10:13]))


def max_pool(p, x):
    images, height, width, channels, out_h, out_w = p[:6]
    one = np.ones(images * height * width * channels)
    args = (images, height, width, channels, (out_h, out_w), p[6:8], p[8:10], p[10:12], (1, 1))
    taps = np.where(windows(one, *args) > 0, windows(x, *args), -np.inf)
    return taps.max((3, 4))


def worked_through(network, x):
    """The results of the operation, in float64."""
    table = np.asarray(network.inputs["table"]).reshape(-1, STEP)
    assert table[0][HEAD - 1] == len(table)
    memory = np.full(network.inputs["size"], np.nan)
    weights, floats = (np.asarray(network.inputs[name], np.float64) for name in ("weights", "floats"))
    x = np.asarray(x, np.float64).reshape(-1)
    for row in table:
        kind, pieces, p = KINDS[row[0]], row[1], [int(n) for n in row[HEAD:]]
        reads = [(x if row[i] else memory)[row[i + 1] :] for i in (2, 4, 6)]
        constants = weights[row[8] :], floats[row[9] :], floats[row[10] :]
        if kind.startswith("product") or kind == "few rows":
            y = product(p, *reads, *constants)
        elif kind.startswith("depthwise"):
            y = depthwise(p, *reads, *constants, int(kind.split()[1]))
        elif kind == "mean":
            images = pieces // -(-p[1] // 32)
            y = reads[0][: images * p[0] * p[1]].reshape(images, p[0], p[1]).mean(1)
        elif kind == "layer norm":
            y = layer_norm(p, *reads, *constants, pieces)
        elif kind.startswith("attention"):
            y = attention(p, *reads, int(kind.split()[1]))
        elif kind == "gate":
            y = reads[0][: np.prod(p[:3])].reshape(p[:3]) * reads[1][: p[0] * p[2]].reshape(p[0], 1, p[2])
        else:
            y = max_pool(p, reads[0])
        memory[row[11] : row[11] + y.size] = y.reshape(-1)
    return [
        memory[at : at + int(np.prod(value.shape))].reshape(value.shape)
        for at, value in zip(network.inputs["places"], network.outputs, strict=True)
    ]


def conv(x, outs, kernel=1, stride=1, groups=1):
    weight = values(outs, x.shape[1] // groups, kernel, kernel, seed=outs)
    y = mb.conv(x=x, weight=weight, bias=values(outs), groups=groups, strides=[stride] * 2, pad_type="same")
    return y


def cnn(x):
    x = mb.max_pool(x=mb.relu(x=conv(x, 16, 3, 2)), kernel_sizes=[3, 3], strides=[2, 2], pad_type="custom", pad=[1] * 4)
    y = mb.clip(x=conv(conv(x, 32), 32, 5, 1, groups=32), alpha=0.0, beta=6.0)
    gate = mb.sigmoid(x=conv(mb.relu(x=conv(mb.reduce_mean(x=y, axes=[2, 3], keep_dims=True), 8)), 32))
    x = mb.add(x=conv(mb.mul(x=y, y=gate), 16), y=x)
    x = mb.relu(x=mb.add(x=conv(x, 24, 3, 2), y=conv(x, 24, 1, 2)))
    if x.shape[3] % 2 == 0:
        x = conv(x, 24, 2, 2)
    x = mb.reshape(x=mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True), shape=[1, 24])
    return mb.linear(x=x, weight=values(10, 24), bias=values(10))


def transformer(x, heads=2, depth=32):
    width = heads * depth
    qkv = mb.linear(
        x=mb.layer_norm(x=x, axes=[-1], gamma=values(width), beta=values(width)), weight=values(3 * width, width)
    )
    qkv = mb.transpose(x=mb.reshape(x=qkv, shape=[1, -1, 3, heads, depth]), perm=[2, 0, 3, 1, 4])
    q, k, v = (mb.squeeze(x=one, axes=[0]) for one in mb.split(x=qkv, split_sizes=[1, 1, 1], axis=0))
    weights = mb.softmax(x=mb.matmul(x=mb.mul(x=q, y=np.float32(0.2)), y=k, transpose_y=True), axis=-1)
    y = mb.transpose(x=mb.matmul(x=weights, y=v), perm=[0, 2, 1, 3])
    x = mb.add(x=x, y=mb.linear(x=mb.reshape(x=y, shape=[1, -1, width]), weight=values(width, width)))
    y = mb.silu(x=mb.linear(x=mb.layer_norm(x=x, axes=[-1]), weight=values(96, width), bias=values(96)))
    return mb.add(x=x, y=mb.linear(x=y, weight=values(width, 96)))


def planned(program):
    program = channels_last(recognise_attention(take_before_transpose(program)))
    return one_kernel(132)(route_on_cuda(program))


@pytest.mark.parametrize("size", [(17, 13), (32, 31), (16, 16)])
def test_a_convolutional_network_is_one_kernel(program_of, size):
    x = values(1, 8, *size, seed=1)
    program = program_of(cnn, x)
    after = planned(program)
    (network,) = [o for o in after.operations if o.kind == "fused_network"]
    assert len(after.operations) == 2
    (wanted,) = build(program)(mx.array(x))
    (found,) = worked_through(network, x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, np.array(wanted), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 37])
def test_a_transformer_is_one_kernel(program_of, rows):
    x = values(1, rows, 64, seed=1)
    program = program_of(lambda x: transformer(transformer(x)), x)
    after = planned(program)
    (network,) = after.operations
    assert network.kind == "fused_network"
    (wanted,) = build(program)(mx.array(x))
    (found,) = worked_through(network, x)
    np.testing.assert_allclose(found, np.array(wanted), rtol=1e-3, atol=1e-4)


def test_a_run_ends_where_the_kernel_has_no_step_and_hands_over_what_is_read_later(program_of):
    def body(x):
        x = mb.relu(x=conv(x, 8))
        for outs in (16, 8, 16, 8):
            x = mb.relu(x=conv(x, outs))
        y = mb.cumsum(x=x, axis=3)
        for outs in (16, 8, 16, 8):
            y = mb.relu(x=conv(y, outs))
        return mb.add(x=mb.cumsum(x=y, axis=3), y=x)

    after = planned(program_of(body, values(1, 8, 4, 4)))
    kinds = [o.kind for o in after.operations]
    assert kinds.count("fused_network") == 2
    first, second = (o for o in after.operations if o.kind == "fused_network")
    assert first.inputs["key"] != second.inputs["key"]


def test_a_few_steps_are_not_worth_a_kernel_of_their_own(program_of):
    after = planned(program_of(lambda x: conv(conv(x, 8), 8), values(1, 8, 4, 4)))
    assert [o.kind for o in after.operations if "conv" in o.kind] == ["fused_conv"] * 2


def test_a_large_network_stays_a_kernel_an_operation(program_of, monkeypatch):
    monkeypatch.setattr(cuda_network, "_MOST_PRODUCTS", 1000)
    after = planned(program_of(cnn, values(1, 8, 16, 16)))
    assert "fused_network" not in [o.kind for o in after.operations]


def test_a_second_tensor_from_outside_ends_the_run(program_of):
    def body(x, y):
        for _ in range(4):
            x = mb.relu(x=conv(x, 8))
        return mb.add(x=conv(x, 8), y=y)

    x = values(1, 8, 4, 4)
    after = planned(program_of(body, x, x))
    assert [o.kind for o in after.operations if o.kind in ("fused_network", "fused_conv")] == [
        "fused_network",
        "fused_conv",
    ]

"""Functions made of additions, products and one division, for MLX's CPU back end where it has no vector code.

On x86 MLX calls the C library once for each element there: e^x takes 20 ns an element and erf 40, while an addition or
product takes 0.15 to 0.25 ns. So each function is a rational approximation or a polynomial whose own error is far below
the rounding of float32; what remains is the rounding of the steps, a few units in the last place of the largest value
that the function has. float32 only: `passes/cpu_functions.py` chooses them.

The coefficients were fitted to values of 60 digits, for the smallest largest error (rational ones by reweighted least
squares in the manner of Lawson, the polynomial by Chebyshev interpolation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.numbers_cpu import at_least, at_most, plus, times
from app.compiler.ops.registry import Axes, NotCovered, lowers

_PHI_P = (0.01852485910058022, 5.471408367156982, 153.97816467285156, 4069.492919921875, 29992.546875, 342457.3125)
_PHI_Q = (1.0, 65.89254760742188, 1669.1416015625, 25116.927734375, 218248.03125, 858413.375)
_PHI_END = 5.55
"""(Φ(x) - 1/2) / x = P(x²) / Q(x²), highest power first, to 1.2e-8; Φ is the normal distribution function. From here on
1 - Φ(x) is less than half a unit of float32 in 1/2, and the quotient gives exactly that half."""

_TANH_P = (69.20806121826172, 43412.375, 5533756.0, 190695760.0, 1384161408.0)
_TANH_Q = (1.0, 2215.089599609375, 579744.625, 38339896.0, 652082880.0, 1384161408.0)
_TANH_END = 9.1
"""tanh(x) / x = P(x²) / Q(x²) to 8.4e-10; from here on tanh(x) is 1 in float32."""

_EXP2 = (
    0.00015461444854736328,
    0.0013400427997112274,
    0.009618056938052177,
    0.05550327152013779,
    0.24022650718688965,
    0.6931471824645996,
    1.0,
)
"""2^f for f from -1/2 to 1/2, highest power first, to 2e-9 of the value."""

_ROUNDER = 1.5 * 2.0**23
"""Added to a float32 it leaves no digit behind the point, and the whole number in the lowest bits."""

_LOG2_E = math.log2(math.e)


def exp2(x: mx.array) -> mx.array:
    """2^x for -126 <= x <= 127, float32."""
    shifted = plus(x, _ROUNDER)
    p = _polynomial(x - plus(shifted, -_ROUNDER), _EXP2)
    # The exponent of a float32 begins at bit 23; adding to it multiplies by a power of two.
    exponent = mx.left_shift(shifted.view(mx.int32), 23)
    return (p.view(mx.int32) + exponent).view(mx.float32)


def row_max(x: mx.array) -> mx.array:
    """Largest value along the last axis, which stays with size 1.

    A row is laid over itself until it is short: MLX's reduction takes one element after the other.
    """
    while (width := x.shape[-1]) > 24:
        half = (width + 1) // 2
        x = mx.maximum(x[..., :half], x[..., width - half :])
    return mx.max(x, axis=-1, keepdims=True)


def row_sum(x: mx.array, weight: float = 1.0) -> mx.array:
    """`weight` times the sum along the last axis, which stays with size 1: a product with a column of that number."""
    column = mx.full((x.shape[-1], 1), weight, dtype=x.dtype)
    return (x.reshape(-1, x.shape[-1]) @ column).reshape(*x.shape[:-1], 1)


def softmax_terms(x: mx.array, base: float = math.e) -> mx.array:
    """base^(x - the largest of the row); 2^-126 where it would be less. `base` 2 saves a product."""
    below = x - row_max(x)
    # Only now, for a mask of the least number that float32 has would leave its range.
    return exp2(at_least(below if base == 2 else times(below, math.log2(base)), -126.0))


@lowers("cpu_softmax")
def cpu_softmax(x: mx.array) -> mx.array:
    """`softmax` along the last axis."""
    terms = softmax_terms(x)
    return terms * (1 / row_sum(terms))


@lowers("cpu_gelu", axes=Axes.ELEMENTWISE)
def cpu_gelu(x: mx.array, *, mode: str = "EXACT") -> mx.array:
    """`gelu`."""
    if mode == "EXACT":
        return x * plus(_phi(x), 0.5)
    if mode == "TANH_APPROXIMATION":
        inner = plus(times(x * x, 0.044715), 1.0) * times(x, math.sqrt(2 / math.pi))
        return x * plus(times(_tanh(inner), 0.5), 0.5)
    if mode == "SIGMOID_APPROXIMATION":
        return x * cpu_sigmoid(times(x, 1.702))
    raise NotCovered(f"gelu (mode={mode})")


@lowers("cpu_relu", axes=Axes.ELEMENTWISE)
def cpu_relu(x: mx.array) -> mx.array:
    """`relu`."""
    return at_least(x, 0.0)


@lowers("cpu_relu6", axes=Axes.ELEMENTWISE)
def cpu_relu6(x: mx.array) -> mx.array:
    """`relu6`."""
    return at_most(at_least(x, 0.0), 6.0)


@lowers("cpu_clip", axes=Axes.ELEMENTWISE)
def cpu_clip(x: mx.array, *, alpha: float, beta: float) -> mx.array:
    """`clip`."""
    return at_most(at_least(x, alpha), beta)


@lowers("cpu_sigmoid_hard", axes=Axes.ELEMENTWISE)
def cpu_sigmoid_hard(x: mx.array, *, alpha: float = 0.2, beta: float = 0.5) -> mx.array:
    """`sigmoid_hard`."""
    return at_most(at_least(plus(times(x, alpha), beta), 0.0), 1.0)


@lowers("cpu_hard_swish", axes=Axes.ELEMENTWISE)
def cpu_hard_swish(x: mx.array, *, alpha: float, beta: float) -> mx.array:
    """`hard_swish`."""
    return x * cpu_sigmoid_hard(x, alpha=alpha, beta=beta)


@lowers("cpu_erf", axes=Axes.ELEMENTWISE)
def cpu_erf(x: mx.array) -> mx.array:
    """`erf`: 2 Φ(x √2) - 1."""
    return times(_phi(times(x, math.sqrt(2))), 2.0)


@lowers("cpu_tanh", axes=Axes.ELEMENTWISE)
def cpu_tanh(x: mx.array) -> mx.array:
    """`tanh`."""
    return _tanh(x)


@lowers("cpu_sigmoid", axes=Axes.ELEMENTWISE)
def cpu_sigmoid(x: mx.array) -> mx.array:
    """`sigmoid`: 2^y / (1 + 2^y), y = x in units of log 2; both ends keep their digits."""
    power = exp2(at_most(at_least(times(x, _LOG2_E), -126.0), 126.0))
    return power / plus(power, 1.0)


@lowers("cpu_silu", axes=Axes.ELEMENTWISE)
def cpu_silu(x: mx.array) -> mx.array:
    """`silu`: x * sigmoid(x)."""
    return x * cpu_sigmoid(x)


def _phi(x: mx.array) -> mx.array:
    """Φ(x) - 1/2."""
    x = at_most(at_least(x, -_PHI_END), _PHI_END)
    return _odd_quotient(x, _PHI_P, _PHI_Q)


def _tanh(x: mx.array) -> mx.array:
    x = at_most(at_least(x, -_TANH_END), _TANH_END)
    return at_most(at_least(_odd_quotient(x, _TANH_P, _TANH_Q), -1.0), 1.0)


def _odd_quotient(x: mx.array, p: Sequence[float], q: Sequence[float]) -> mx.array:
    square = x * x
    return _polynomial(square, p) / _polynomial(square, q) * x


def _polynomial(x: mx.array, coefficients: Sequence[float]) -> mx.array:
    """By Horner's rule, highest power first."""
    highest, second, *rest = coefficients
    y = plus(x if highest == 1.0 else times(x, highest), second)
    for coefficient in rest:
        y = plus(y * x, coefficient)
    return y

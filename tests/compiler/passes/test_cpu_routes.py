"""Each convolution goes the way that its geometry allows. What the routes compute: ops/test_conv.py."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.cpu_routes import route_convolutions, tile_width


def route(program_of, weight, **options):
    x = np.zeros((1, 4, 8, 8), np.float32)
    program = program_of(lambda x: mb.conv(x=x, weight=np.zeros(weight, np.float32), **options), x)
    (operation,) = route_convolutions(program).operations
    return operation.kind


@pytest.mark.parametrize(
    ("weight", "options", "kind"),
    [
        ((6, 4, 1, 1), {}, "pointwise_conv"),
        ((6, 4, 1, 1), {"strides": [2, 2]}, "unfolded_conv"),
        ((6, 4, 1, 1), {"pad_type": "custom", "pad": [1, 1, 1, 1]}, "unfolded_conv"),
        ((6, 4, 3, 3), {}, "unfolded_conv"),
        ((4, 1, 3, 3), {"groups": 4}, "banded_conv"),
        ((4, 1, 3, 3), {"groups": 4, "dilations": [2, 2]}, "unfolded_conv"),
        ((8, 1, 3, 3), {"groups": 4}, "unfolded_conv"),
        ((8, 2, 3, 3), {"groups": 2}, "unfolded_conv"),
    ],
)
def test_route(program_of, weight, options, kind):
    assert route(program_of, weight, **options) == kind


def test_weights_that_are_computed_are_left_to_mlx(program_of):
    x, weight = np.zeros((1, 4, 8, 8), np.float32), np.zeros((6, 4, 3, 3), np.float32)
    program = program_of(lambda x, w: mb.conv(x=x, weight=mb.relu(x=w)), x, weight)
    assert [o.kind for o in route_convolutions(program).operations] == ["relu", "conv"]


@pytest.mark.parametrize(
    ("width", "tile"), [(7, 7), (14, 14), (28, 14), (56, 14), (112, 16), (130, 13), (65, 13), (1, 1)]
)
def test_a_tile_divides_the_row(width, tile):
    assert tile_width(width) == tile

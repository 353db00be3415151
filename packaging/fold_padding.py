"""A pass of coremltools' converter: padding becomes part of the convolution that it is for."""

from __future__ import annotations

from typing import Any

from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
from coremltools.converters.mil.mil.passes.helper import block_context_manager
from coremltools.converters.mil.mil.passes.pass_registry import register_pass

NAME = "dyno::fold_padding"


@register_pass(namespace="dyno")
class fold_padding(AbstractGraphPass):
    """`pad(zeros) -> conv(valid)` becomes `conv(custom padding)`.

    The original network pads the way TensorFlow does, more at the bottom and right than at the top and left, which a
    convolution of PyTorch cannot express and one of Core ML can. Unfolded, the largest activations of the network
    would be copied once more for it.

        before: %p = pad(%x, [0, 0, 0, 0, top, bottom, left, right], "constant", 0); %y = conv(%p, pad_type="valid")
        after:  %y = conv(%x, pad_type="custom", pad=[top, bottom, left, right])
    """

    def apply(self, prog: Any) -> None:
        for function in prog.functions.values():
            _fold(function)


@block_context_manager
def _fold(block: Any) -> None:
    for pad in list(block.operations):
        if not _is_zero_padding(pad) or pad.outputs[0] in block.outputs or len(pad.outputs[0].child_ops) != 1:
            continue
        (conv,) = pad.outputs[0].child_ops
        if conv.op_type != "conv" or conv.pad_type.val != "valid":
            continue
        folded = mb.conv(
            x=pad.x,
            weight=conv.weight,
            bias=conv.bias,
            strides=conv.strides,
            pad_type="custom",
            pad=pad.pad.val[-4:],
            dilations=conv.dilations,
            groups=conv.groups,
            name=conv.name,
            before_op=conv,
        )
        block.replace_uses_of_var_after_op(anchor_op=conv, old_var=conv.outputs[0], new_var=folded)
        block.remove_ops([conv, pad])


def _is_zero_padding(op: Any) -> bool:
    """Whether `op` pads only height and width of an N×C×H×W value, with zeros."""
    return (
        op.op_type == "pad"
        and op.mode.val == "constant"
        and op.constant_val.val == 0
        and op.x.rank == 4
        and not any(op.pad.val[:-4])
    )

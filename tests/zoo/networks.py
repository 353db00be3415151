"""PyTorch's networks of the zoo: seeded, with nothing left at the trivial value that it was initialised with.

Imported by build.py, in `.venv-models`.
"""

from __future__ import annotations

import importlib
import math
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

# The CPU wheel of torch refuses to load the compiled half of a torchvision that was made for CUDA, and without that
# half torchvision's Python does not import, for it declares fake kernels for operators that then do not exist. No
# network of the zoo runs one of them, so that declaring their names is enough.
try:
    import torchvision  # noqa: F401
except RuntimeError:
    _OPERATORS = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"):
        for _word in (_name, f"_{_name}_backward"):
            _OPERATORS.define(f"{_word}(Tensor x) -> Tensor")

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of pixels from 0 to 1."""
SCALE = 1 / (255 * 0.226)
"""Core ML's image input has one scale for all channels; 0.226 is the middle of STD."""
BIAS = {
    "RGB": tuple(-m / s for m, s in zip(MEAN, STD, strict=True)),
    "BGR": tuple(-m / s for m, s in zip(MEAN[::-1], STD[::-1], strict=True)),
    "GRAYSCALE": (-0.45 / 0.226,),
}


@dataclass(frozen=True)
class Recipe:
    """One entry of networks.toml, which says what each field means."""

    name: str
    family: str
    call: str
    size: int
    arguments: dict[str, Any] = field(default_factory=dict)
    config: str = ""
    output: str = ""
    answers: str = "logits"
    input: str = "image"
    colour: str = "RGB"
    target: str = "iOS17"
    reparameterize: bool = False
    neuralnetwork: bool = False


class Wrapped(nn.Module):
    """The network with its outputs as a flat tuple."""

    def __init__(self, network: nn.Module, output: str) -> None:
        super().__init__()
        self.network, self.output, self.gain = network, output, 1.0

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """What the network gives for N × C × H × W."""
        result = self.network(x)
        result = getattr(result, self.output) if self.output else result
        results = tuple(result) if isinstance(result, list | tuple) else (result,)
        return results if self.gain == 1 else tuple(y * self.gain for y in results)


def network(recipe: Recipe) -> Wrapped:
    """The network of a recipe in evaluation mode, the same at every call."""
    torch.manual_seed(zlib.crc32(recipe.name.encode()))
    make = _found(recipe.call)
    made = make(_found(recipe.config)(**recipe.arguments)) if recipe.config else make(**recipe.arguments)
    wrapped = Wrapped(made, recipe.output)
    with torch.no_grad():
        _disturb(wrapped)
        _settle_batch_norms(wrapped, torch.from_numpy(inputs(recipe, 8, seed=1)))
    if recipe.reparameterize:
        from timm.utils import reparameterize_model

        wrapped.network = reparameterize_model(wrapped.network)
    wrapped.eval().requires_grad_(False)
    if recipe.answers == "logits":
        _spread_logits(wrapped, torch.from_numpy(inputs(recipe, 8, seed=1)))
    return wrapped


def rounded(exact: Wrapped, recipe: Recipe) -> Wrapped:
    """The network with batch norms folded and weights rounded to float16, computing in float32."""
    other = deepcopy(exact)
    with torch.no_grad():
        _fold_batch_norms(other, torch.from_numpy(inputs(recipe, 1, seed=1)))
    for tensor in (*other.parameters(), *other.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.half().float()
    for norm in other.modules():
        if isinstance(norm, _BatchNorm) and norm.running_var is not None and (norm.running_mean == 0).all():
            norm.running_var.fill_(1 - norm.eps)
    return other.requires_grad_(False)


def images(recipe: Recipe, count: int, seed: int) -> np.ndarray:
    """`count` different pictures, uint8 N × H × W × C: coarse and fine noise, as different in colour as photos are."""
    channels = 1 if recipe.colour == "GRAYSCALE" else 3
    noise = np.random.default_rng(seed)
    picture = noise.uniform(60, 190, (count, 1, 1, channels)) * np.ones((1, recipe.size, recipe.size, 1))
    for cells, strength in ((3, 45), (9, 30), (recipe.size, 15)):
        coarse = noise.standard_normal((count, cells, cells, channels)) * strength
        places = np.arange(recipe.size) * cells // recipe.size
        picture += coarse[:, places][:, :, places]
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def inputs(recipe: Recipe, count: int, seed: int) -> np.ndarray:
    """The pictures as the network takes them: float32 N × C × H × W in its order of colours, scaled and shifted."""
    pixels = images(recipe, count, seed)
    pixels = pixels[..., ::-1] if recipe.colour == "BGR" else pixels
    scaled = pixels.astype(np.float32) * np.float32(SCALE) + np.array(BIAS[recipe.colour], np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def _found(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _disturb(module: nn.Module) -> None:
    """Draw anew every parameter that holds one number throughout, and strengthen those that training starts small.

    Norms start at weight 1 and bias 0, layer scales at 1e-6, positions and many biases at 0, matrices of transformers
    so small that a block does next to nothing: a lowering that ignored them would go unnoticed.
    """
    for name, parameter in module.named_parameters():
        if parameter.numel() == 0:
            continue
        if (parameter == parameter.flatten()[0]).all():
            _draw(parameter, name.endswith("weight"))
        if sum(size > 1 for size in parameter.shape) < 2:
            # A gain or an offset a channel, whatever its shape.
            continue
        inputs = parameter[0].numel()
        weight = name.endswith("weight") and inputs > 1
        least, wanted = (0.7 * inputs**-0.5, 1.2 * inputs**-0.5) if weight else (0.3, 0.5)
        deviation = float(parameter.std())
        if deviation < least:
            parameter.mul_(wanted / deviation)


def _draw(parameter: Tensor, is_weight: bool) -> None:
    value = float(parameter.flatten()[0])
    if abs(value) >= 0.1:
        parameter.mul_(torch.empty_like(parameter).uniform_(0.6, 1.4))
    elif parameter.dim() == 1 and (value != 0 or is_weight):
        parameter.uniform_(0.3, 1.0)
    else:
        parameter.normal_(0, 0.1)


def _settle_batch_norms(module: nn.Module, x: Tensor) -> None:
    """Running statistics of what really passes, then off by a tenth of a deviation and up to half of a variance.

    Statistics drawn without regard to the values would let them vanish or explode within a few layers.
    """
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    if not norms:
        return
    module.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for _ in range(2):
        module(x)
    for norm in norms:
        norm.running_mean.add_(norm.running_var.sqrt() * torch.randn_like(norm.running_mean) * 0.1)
        norm.running_var.mul_(torch.empty_like(norm.running_var).uniform_(0.7, 1.5))
        norm.momentum = 0.1
    module.eval()


def _fold_batch_norms(module: nn.Module, x: Tensor) -> None:
    """Take every batch norm that reads a convolution into that convolution, as coremltools does.

    Then rounding the weights to float16 rounds the same numbers on both sides.
    """
    makers: dict[int, nn.Module] = {}
    kept: list[Tensor] = []
    """Held, so that no two tensors have the same identity."""
    pairs: list[tuple[nn.Module, _BatchNorm]] = []

    def seen(layer: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            makers[id(result)] = layer
            kept.append(result)
        elif id(given[0]) in makers:
            pairs.append((makers[id(given[0])], layer))

    hooks = [m.register_forward_hook(seen) for m in module.modules() if isinstance(m, nn.Conv2d | _BatchNorm)]
    before = module(x)
    for hook in hooks:
        hook.remove()
    pairs = [(c, n) for c, n in pairs if sum(c is other for other, _ in pairs) == 1]
    if not _folded_alike(module, pairs, x, before):
        # Something else reads one of the convolutions.
        for pair in pairs:
            _folded_alike(module, [pair], x, before)


def _folded_alike(
    module: nn.Module, pairs: list[tuple[nn.Module, _BatchNorm]], x: Tensor, before: tuple[Tensor, ...]
) -> bool:
    """Fold these if that leaves the answers as they were, else none."""
    kept = [(layer, deepcopy(layer.state_dict()), layer.bias) for pair in pairs for layer in pair]
    for convolution, norm in pairs:
        _fold(convolution, norm)
    alike = all(
        torch.allclose(new, old, rtol=1e-3, atol=1e-3 * float(old.abs().max()))
        for old, new in zip(before, module(x), strict=True)
    )
    if not alike:
        for layer, state, bias in kept:
            layer.bias = bias
            layer.load_state_dict(state)
    return alike


def _fold(convolution: nn.Conv2d, norm: _BatchNorm) -> None:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    bias = torch.zeros_like(scale) if convolution.bias is None else convolution.bias
    convolution.bias = nn.Parameter((bias - norm.running_mean) * scale + norm.bias)
    convolution.weight.mul_(scale.reshape(-1, 1, 1, 1))
    # What is left may carry an activation, so it stays, and does nothing.
    norm.weight.fill_(1)
    norm.bias.zero_()
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def _spread_logits(wrapped: Wrapped, x: Tensor) -> None:
    """A gain that gives the logits a deviation of about 2: probabilities that are worth comparing."""
    deviation = float(wrapped(x)[0].std(dim=1).mean())
    if not math.isfinite(deviation) or deviation == 0:
        raise ValueError(f"logits of deviation {deviation}")
    wrapped.gain = 2 / deviation

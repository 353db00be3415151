"""EfficientNet-Lite0 and ViT-S/16 written by hand with mlx.nn, as one would without a compiler; random weights.

A convolution is followed by a batch normalisation, images are N, H, W, C, attention is `mx.fast`'s.
"""

from __future__ import annotations

import mlx.core as mx
from mlx import nn

_LITE0 = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5))
"""Expansion, channels, blocks, stride and kernel of each stage but the last."""


class ConvNorm(nn.Module):
    """Convolution, batch normalisation and, if wanted, relu6."""

    def __init__(self, i: int, o: int, kernel: int, stride: int = 1, groups: int = 1, activate: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(i, o, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm(o)
        self.activate = activate

    def __call__(self, x: mx.array) -> mx.array:
        """Images in, images out."""
        x = self.norm(self.conv(x))
        return nn.relu6(x) if self.activate else x


class Inverted(nn.Module):
    """Expansion, depthwise convolution, projection."""

    def __init__(self, i: int, o: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = i * expansion
        steps = [] if expansion == 1 else [ConvNorm(i, wide, 1)]
        steps += [ConvNorm(wide, wide, kernel, stride, groups=wide), ConvNorm(wide, o, 1, activate=False)]
        self.steps, self.adds = nn.Sequential(*steps), stride == 1 and i == o

    def __call__(self, x: mx.array) -> mx.array:
        """Images in, images out."""
        return x + self.steps(x) if self.adds else self.steps(x)


class Lite0(nn.Module):
    """EfficientNet-Lite0: 1000 probabilities of uint8 images."""

    def __init__(self) -> None:
        super().__init__()
        blocks, channels = [], 32
        for expansion, width, count, stride, kernel in (*_LITE0, (6, 320, 1, 1, 3)):
            for place in range(count):
                blocks.append(Inverted(channels, width, expansion, kernel, stride if place == 0 else 1))
                channels = width
        self.body = nn.Sequential(ConvNorm(3, 32, 3, 2), *blocks, ConvNorm(320, 1280, 1))
        self.head = nn.Linear(1280, 1000)

    def __call__(self, pixels: mx.array) -> mx.array:
        """N, 1000."""
        x = self.body((pixels.astype(mx.float32) - 127.0) / 128.0)
        return mx.softmax(self.head(x.mean(axis=(1, 2))), axis=-1)


class Block(nn.Module):
    """One layer of a vision transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def __call__(self, x: mx.array) -> mx.array:
        """Tokens in, tokens out."""
        n, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, tokens, 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
        y = mx.fast.scaled_dot_product_attention(q, k, v, scale=(width // self.heads) ** -0.5)
        x = x + self.out(y.transpose(0, 2, 1, 3).reshape(n, tokens, width))
        return x + self.down(nn.gelu(self.up(self.norm2(x))))


class ViT(nn.Module):
    """ViT-S/16: 1000 probabilities of uint8 images."""

    def __init__(self, width: int = 384, heads: int = 6, depth: int = 12) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        self.token, self.place = mx.zeros((1, 1, width)), mx.random.normal((1, 197, width))
        self.blocks = [Block(width, heads) for _ in range(depth)]
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def __call__(self, pixels: mx.array) -> mx.array:
        """N, 1000."""
        x = self.patches((pixels.astype(mx.float32) - 116.0) / 57.0).reshape(pixels.shape[0], 196, -1)
        x = mx.concatenate([self.token, x], axis=1) + self.place
        for block in self.blocks:
            x = block(x)
        return mx.softmax(self.head(self.norm(x)[:, 0]), axis=-1)


NETWORKS = {"lite0": Lite0, "vit_s16": ViT}

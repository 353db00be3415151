"""What the imaging tests make their files with."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

Encode = Callable[..., bytes]

# A busy machine is no reason to fail: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

DATA = Path(__file__).parent.parent / "data" / "photos"

P3_PRIMARIES = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
SRGB_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""XYZ of red, green and blue, adapted to the D50 white of ICC profiles."""


@pytest.fixture
def data_folder() -> Path:
    return DATA


@pytest.fixture
def quadrants_hwc() -> np.ndarray:
    """48×64 pixels: red, green over blue, yellow. No two turns of it look alike."""
    pixels = np.empty((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:] = (200, 30, 30), (30, 160, 60)
    pixels[24:, :32], pixels[24:, 32:] = (40, 60, 200), (230, 220, 60)
    return pixels


@pytest.fixture
def ramps_hwc() -> np.ndarray:
    """240×320 pixels that compress to something longer than a header, and differ from row to row."""
    y, x = np.mgrid[0:240, 0:320]
    noise = np.random.default_rng(0).integers(0, 40, (240, 320, 3))
    return (np.stack([x * 200 // 320, y * 200 // 240, (x + y) % 200], axis=-1) + noise).astype(np.uint8)


@pytest.fixture
def encode() -> Encode:
    """Bytes of a picture file: encode(pixels or Pillow picture, format, **options of Pillow's writer)."""

    def encode_picture(picture: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
        stream = io.BytesIO()
        picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        picture.save(stream, kind, **options)
        return stream.getvalue()

    return encode_picture


@pytest.fixture
def icc() -> SimpleNamespace:
    """Builders of small ICC profiles (ICC.1:2001-04, version 2.4), written out by hand."""
    return SimpleNamespace(rgb=rgb_profile, grey=grey_profile, cmyk=cmyk_profile, p3=P3_PRIMARIES, srgb=SRGB_PRIMARIES)


def rgb_profile(primaries: tuple[tuple[float, ...], ...], gamma: float = 2.2) -> bytes:
    colours = {f"{name}XYZ".encode(): _xyz(*xyz) for name, xyz in zip("rgb", primaries, strict=True)}
    curves = {f"{name}TRC".encode(): _gamma(gamma) for name in "rgb"}
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**colours, **curves, b"wtpt": _xyz(0.9642, 1.0, 0.8249)})


def grey_profile(gamma: float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma), b"wtpt": _xyz(0.9642, 1.0, 0.8249)})


def cmyk_profile() -> bytes:
    """A press whose four inks are all neutral grey: unlike any real one, so that its use cannot be mistaken."""
    nodes = bytearray()
    for corner in range(16):
        inks = [corner >> 3 & 1, corner >> 2 & 1, corner >> 1 & 1, corner & 1]
        lightness = 0 if inks[3] else 100 - 20 * sum(inks[:3])
        nodes += bytes([round(lightness * 2.55), 128, 128])
    identity = bytes(range(256))
    matrix = b"".join(_fixed(1.0 if i % 4 == 0 else 0.0) for i in range(9))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + identity * 4 + bytes(nodes) + identity * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _xyz(0.9642, 1.0, 0.8249)})


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _description(b"test"), b"cprt": b"text\0\0\0\0none\0", **tags}
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    light = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    head = b"\0\0\0\0\x02\x40\0\0" + kind + space + connection + date + b"acsp" + bytes(28) + light
    return struct.pack(">I", start + len(body)) + head.ljust(124, b"\0") + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(x) + _fixed(y) + _fixed(z)


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _description(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(4 + 4 + 2 + 1 + 67)

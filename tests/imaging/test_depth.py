"""Pictures with more or fewer than 8 bits a channel."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.errors import PhotoUnreadable
from app.imaging.photo import photo_from_bytes

VALUES = [0, 1, 255, 256, 32767, 32768, 65279, 65280, 65535]
HIGH_BYTES = [0, 0, 0, 1, 127, 128, 254, 255, 255]


def png(width: int, height: int, bits: int, colour_type: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG by hand (ISO/IEC 15948), for kinds that Pillow does not write. `rows` without filter bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[i : i + stride] for i in range(0, len(rows), stride))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    extra = chunk(extra[:4], extra[4:]) if extra else b""
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(filtered)) + chunk(b"IEND", b"")


def tiff(values: np.ndarray, bits: int, photometric: int, sample_format: int = 1) -> bytes:
    """An uncompressed TIFF by hand (TIFF 6.0), in the byte order of `values`: H×W or H×W×channels."""
    order = ">" if values.dtype.byteorder == ">" else "<"
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 0), (277, channels)]
    tags += [(278, height), (279, values.nbytes), (339, sample_format)]
    behind, entries = 8 + 2 + 12 * len(tags) + 4, b""
    each_channel = struct.pack(f"{order}{channels}H", *[bits] * channels)
    formats = struct.pack(f"{order}{channels}H", *[sample_format] * channels)
    for tag, value in tags:
        count = channels if tag in (258, 339) else 1
        if count > 2:
            value = behind if tag == 258 else behind + len(each_channel)
        elif tag == 273:
            value = behind + len(each_channel) + len(formats)
        entries += struct.pack(f"{order}HHI", tag, 3, count)
        entries += struct.pack(f"{order}I", value) if count > 2 else struct.pack(f"{order}HH", value, 0)
    head = b"II*\0" if order == "<" else b"MM\0*"
    body = each_channel + formats + values.tobytes()
    return head + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4) + body


def greys(data: bytes) -> tuple[list[int], tuple[str, ...]]:
    """The grey values of a picture's first row, and its notes."""
    photo = photo_from_bytes(data, "x")
    assert (photo.rgb_hwc[..., 0] == photo.rgb_hwc[..., 1]).all()
    assert (photo.rgb_hwc[..., 0] == photo.rgb_hwc[..., 2]).all()
    return photo.rgb_hwc[0, :, 0].tolist(), photo.notes


def test_16_bit_grey_keeps_the_high_byte():
    assert greys(png(9, 1, 16, 0, np.array(VALUES, ">u2").tobytes())) == (HIGH_BYTES, ("16-bit",))


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_grey_tiff_keeps_the_high_byte(order):
    assert greys(tiff(np.array([VALUES], f"{order}u2"), 16, photometric=1)) == (HIGH_BYTES, ("16-bit",))


def test_16_bit_grey_tiff_that_counts_from_white():
    inverted = [255 - value for value in HIGH_BYTES]
    assert greys(tiff(np.array([VALUES], "<u2"), 16, photometric=0)) == (inverted, ("16-bit",))


def test_8_bit_grey_tiff_that_counts_from_white():
    assert greys(tiff(np.array([[0, 1, 255]], "u1"), 8, photometric=0)) == ([255, 254, 0], ())


def test_12_bit_grey_tiff_spans_black_to_white():
    packed = bytes([0x00, 0x08, 0x00, 0xFF, 0xFF, 0xFF])  # 0x000, 0x800, 0xFFF, 0xFFF
    data = tiff(np.frombuffer(packed, "u1").reshape(1, 6), 12, photometric=1)
    data = data.replace(struct.pack("<HHIHH", 256, 3, 1, 6, 0), struct.pack("<HHIHH", 256, 3, 1, 4, 0))
    assert greys(data) == ([0, 128, 255, 255], ("16-bit",))


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_colour_tiff_keeps_the_high_bytes(order):
    photo = photo_from_bytes(tiff(np.array([VALUES], f"{order}u2").reshape(1, 3, 3), 16, photometric=2), "x")
    assert photo.rgb_hwc.ravel().tolist() == HIGH_BYTES
    assert photo.notes == ("16-bit",)


def test_16_bit_colour_png_is_within_a_step_of_the_high_bytes():
    photo = photo_from_bytes(png(3, 1, 16, 2, np.array(VALUES, ">u2").tobytes()), "x")
    assert np.abs(photo.rgb_hwc.ravel().astype(int) - HIGH_BYTES).max() <= 1
    assert photo.notes == ("16-bit",)


def test_16_bit_colour_with_alpha():
    rows = np.array([[65535, 0, 0, 65535], [65535, 0, 0, 0]], ">u2").tobytes()
    photo = photo_from_bytes(png(2, 1, 16, 6, rows), "x")
    assert photo.rgb_hwc.tolist() == [[[255, 0, 0], [255, 255, 255]]]
    assert photo.notes == ("16-bit", "alpha")


def test_16_bit_grey_with_alpha():
    rows = np.array([[0x8000, 0xFFFF], [0x8000, 0]], ">u2").tobytes()
    assert greys(png(2, 1, 16, 4, rows)) == ([128, 255], ("16-bit", "alpha"))


def test_16_bit_grey_where_one_value_means_transparent():
    rows = np.array([0x0100, 0x0101, 0x8000], ">u2").tobytes()
    assert greys(png(3, 1, 16, 0, rows, b"tRNS\x01\x01")) == ([1, 255, 128], ("16-bit", "alpha"))


@pytest.mark.parametrize(
    ("bits", "row", "expected"),
    [(1, b"\xa5", [255, 0, 255, 0, 0, 255, 0, 255]), (2, b"\x1b", [0, 85, 170, 255]), (4, b"\x1f", [17, 255])],
)
def test_fewer_bits_span_black_to_white(bits, row, expected):
    assert greys(png(len(expected), 1, bits, 0, row)) == (expected, ())


def test_black_and_white(encode):
    checks = Image.fromarray(np.indices((8, 8)).sum(axis=0) % 2 == 0)
    assert greys(encode(checks, "TIFF", compression="group4")) == ([255, 0] * 4, ())


@pytest.mark.parametrize(
    "values", [np.array([[0.0, 0.5, 1.0]], "<f4"), np.array([[0, 7, 2**31 - 1]], "<i4"), np.array([[-1, 0, 5]], "<i2")]
)
def test_grey_of_unknown_range_is_refused_instead_of_guessed(values):
    data = tiff(values, values.itemsize * 8, photometric=1, sample_format=3 if values.dtype.kind == "f" else 2)
    with pytest.raises(PhotoUnreadable, match="white"):
        photo_from_bytes(data, "elevation.tif")


def test_ten_bit_heic(data_folder, quadrants_hwc):
    photo = photo_from_bytes((data_folder / "ten-bit.heic").read_bytes(), "x")
    assert np.abs(photo.rgb_hwc.astype(int) - quadrants_hwc).max() <= 8
    assert photo.notes == ("16-bit",)

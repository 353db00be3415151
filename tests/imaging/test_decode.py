"""Size is judged by the header; what is too large is refused or read reduced, never swallowed."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from app.errors import PhotoTooLarge, PhotoUnreadable
from app.imaging.decode import LIMIT_MEGAPIXELS
from app.imaging.photo import photo_from_bytes


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds hardly any pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its frame header, baseline or progressive."""
    frame = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


def grey_jpeg(side: int, encode) -> bytes:
    """A complete baseline JPEG of mid grey, `side` a multiple of 16.

    With the standard Huffman tables a block without change is 00 (no difference) 1010 (end of block); four of them fill
    three bytes.
    """
    small = encode(Image.new("L", (8, 8), 128), "JPEG")
    scan = small.index(b"\xff\xda")
    head = small[: scan + 2 + int.from_bytes(small[scan + 2 : scan + 4], "big")]
    return with_size(head, side, side) + b"\x28\xa2\x8a" * (side * side // 256) + b"\xff\xd9"


def test_the_bomb_builder_makes_a_real_jpeg(encode):
    photo = photo_from_bytes(grey_jpeg(64, encode), "x")
    assert photo.rgb_hwc.shape == (64, 64, 3)
    assert np.unique(photo.rgb_hwc).tolist() == [128]


@pytest.mark.parametrize("side", [8000, 8016])
def test_a_jpeg_is_read_whole_up_to_the_limit_and_reduced_above(side, encode):
    photo = photo_from_bytes(grey_jpeg(side, encode), "x")
    if side * side <= LIMIT_MEGAPIXELS * 1_000_000:
        assert (photo.rgb_hwc.shape[:2], photo.notes) == ((side, side), ())
    else:
        assert (photo.rgb_hwc.shape[:2], photo.notes) == ((side // 2, side // 2), ("reduced",))


def test_a_jpeg_of_30000_by_30000_is_read_at_a_quarter(encode):
    photo = photo_from_bytes(grey_jpeg(30_000 // 16 * 16, encode), "x")
    assert photo.rgb_hwc.shape == (7500, 7500, 3)
    assert photo.notes == ("reduced",)
    assert (photo.rgb_hwc.min(), photo.rgb_hwc.max()) == (128, 128)


def test_an_odd_size_is_reduced_too(encode):
    picture = Image.new("RGB", (16001, 4003), (90, 140, 200))
    photo = photo_from_bytes(encode(picture, "JPEG", quality=95), "x")
    assert photo.rgb_hwc.shape == (2002, 8001, 3)
    assert np.abs(photo.rgb_hwc.astype(int) - (90, 140, 200)).max() <= 3


def too_large(data: bytes) -> tuple[int, int]:
    """The size that the refusal names."""
    with pytest.raises(PhotoTooLarge) as caught:
        photo_from_bytes(data, "map.png")
    fields = caught.value.fields
    assert (fields["photo"], fields["limit_megapixels"]) == ("map.png", LIMIT_MEGAPIXELS)
    return fields["width"], fields["height"]


@pytest.mark.parametrize("size", [(30_000, 30_000), (64_000_001, 1), (1, 64_000_001)])
def test_a_png_above_the_limit_is_refused(size):
    assert too_large(png_header(*size)) == size


def test_a_png_at_the_limit_is_not_too_large():
    with pytest.raises(PhotoUnreadable):  # it has not the pixels that it claims
        photo_from_bytes(png_header(64_000_000, 1), "x")


def test_other_formats_above_the_limit_are_refused(encode):
    small = Image.new("L", (8, 8))
    bmp = encode(small, "BMP")
    gif = encode(small, "GIF")
    tiff = encode(Image.new("1", (8001, 8001)), "TIFF", compression="group4")
    webp = encode(Image.new("RGB", (8001, 8001)), "WEBP", lossless=True, method=0)
    assert too_large(bmp[:18] + struct.pack("<ii", 30_000, 30_000) + bmp[26:]) == (30_000, 30_000)
    assert too_large(gif[:6] + struct.pack("<HH", 13_000, 13_000) + gif[10:]) == (13_000, 13_000)
    assert too_large(tiff) == (8001, 8001)
    assert too_large(webp) == (8001, 8001)


def test_a_large_progressive_jpeg_is_refused(encode):
    # libjpeg would keep 900 million coefficients, even to read it at 1/8.
    progressive = encode(Image.new("RGB", (64, 64), (200, 30, 30)), "JPEG", progressive=True)
    assert too_large(with_size(progressive, 30_000, 30_000)) == (30_000, 30_000)


def test_a_large_jpeg_with_one_scan_a_channel_is_refused(encode):
    jpeg = encode(Image.new("RGB", (64, 64), (200, 30, 30)), "JPEG")
    scan = jpeg.index(b"\xff\xda")
    alone = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    separate = jpeg[:scan] + alone + jpeg[scan + 2 + 12 :]
    assert too_large(with_size(separate, 30_000, 30_000)) == (30_000, 30_000)


def test_a_jpeg_too_large_even_at_an_eighth_is_refused(encode):
    colour = encode(Image.new("RGB", (64, 64), (200, 30, 30)), "JPEG")
    assert too_large(with_size(colour, 65_500, 65_500)) == (65_500, 65_500)


def test_refusing_takes_no_memory(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(30_000, 30_000))
    (tmp_path / "small.png").write_bytes(png_header(30, 11))
    code = """if True:
        import resource, sys
        from app.errors import PhotoError
        from app.imaging.photo import open_photo
        def most():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path in sys.argv[1:]:
            before = most()
            try:
                open_photo(path)
            except PhotoError as error:
                print(type(error).__name__, most() - before)
    """
    names = [str(tmp_path / "small.png"), str(tmp_path / "bomb.png")]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, timeout=60, check=True)
    refused, grown = done.stdout.splitlines()[-1].split()
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes on macOS, KiB on Linux
    assert refused == "PhotoTooLarge"
    assert int(grown) * unit < 20_000_000


def test_the_thumbnail_in_a_camera_raw_file_is_not_taken_for_the_photo(encode, quadrants_hwc):
    raw = encode(quadrants_hwc, "TIFF", tiffinfo={254: 1})
    with pytest.raises(PhotoUnreadable, match="preview"):
        photo_from_bytes(raw, "DSC_0001.NEF")

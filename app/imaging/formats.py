"""Which picture format a file holds, and its Pillow reader.

A file is known by its first bytes, never by its name. Readers are made directly instead of through `Image.open`: that
would apply Pillow's own process-wide size limit before a JPEG could be read at reduced size, and would import some
sixty plug-ins in order to say that a text file is no picture. A reader has read the header only; `load()` decodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from PIL import ImageFile

from app.imaging.quiet import silence_libtiff

Reader = Callable[[BinaryIO], ImageFile.ImageFile]

_HEAD_BYTES = 256
"""Enough for the list of brands with which an ISO container (HEIC, AVIF) begins."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def picture_reader(stream: BinaryIO) -> Reader | None:
    """What can read this file; None when it begins like no picture. The stream is left at its start."""
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    for begins, reader in _BEGINNINGS:
        if head.startswith(begins):
            return reader
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp
    brands = _container_brands(head)
    if brands & _AVIF_BRANDS:
        return _avif
    return _heif if brands & _HEIF_BRANDS else None


def _container_brands(head: bytes) -> frozenset[bytes]:
    """Major and compatible brands of an ISO base media file (ISO/IEC 14496-12, 4.3); empty for any other file."""
    if head[4:8] != b"ftyp":
        return frozenset()
    listed = head[8 : int.from_bytes(head[:4], "big")]
    # Between the major brand and the compatible ones lies a version number.
    return frozenset(listed[i : i + 4] for i in range(0, len(listed), 4) if i != 4)


def _jpeg(stream: BinaryIO) -> ImageFile.ImageFile:
    # Also for files with several JPEGs (MPO): the first one is the photo, the others are previews, depth or gain maps.
    from PIL import JpegImagePlugin

    picture = JpegImagePlugin.JpegImageFile(stream)
    scan = stream.tell()
    # Zeros for the rest of a half-copied file decode as some picture; the end marker cannot occur within pixel data.
    if not _holds(stream, b"\xff\xd9"):
        raise SyntaxError("no end of image")
    stream.seek(scan)
    return picture


def _holds(stream: BinaryIO, mark: bytes) -> bool:
    """Whether the two bytes come between the stream's position and its end; leaves it anywhere."""
    before = b""
    while block := stream.read(1 << 20):
        if mark in before + block:
            return True
        before = block[-1:]
    return False


def _png(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import PngImagePlugin

    # Loading does not look at the checksums of the pixel data: a file with a hole of zeros would give a broken picture.
    PngImagePlugin.PngImageFile(stream).verify()
    stream.seek(0)
    return PngImagePlugin.PngImageFile(stream)


def _webp(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import WebPImagePlugin

    return WebPImagePlugin.WebPImageFile(stream)


def _avif(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import AvifImagePlugin

    return AvifImagePlugin.AvifImageFile(stream)


def _heif(stream: BinaryIO) -> ImageFile.ImageFile:
    from app.imaging.heif import HeifPicture

    return HeifPicture(stream)


def _tiff(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import TiffImagePlugin

    silence_libtiff()
    return TiffImagePlugin.TiffImageFile(stream)


def _gif(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import GifImagePlugin

    return GifImagePlugin.GifImageFile(stream)


def _bmp(stream: BinaryIO) -> ImageFile.ImageFile:
    from PIL import BmpImagePlugin

    return BmpImagePlugin.BmpImageFile(stream)


_BEGINNINGS: tuple[tuple[bytes, Reader], ...] = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF87a", _gif),
    (b"GIF89a", _gif),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"II+\0", _tiff),  # BigTIFF
    (b"MM\0+", _tiff),
    (b"BM", _bmp),
)

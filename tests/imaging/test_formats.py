"""A file is known by how it begins."""

from __future__ import annotations

import io

import pytest

from app.imaging.formats import picture_reader

BEGINNINGS = {
    b"\xff\xd8\xff\xe1": "_jpeg",
    b"\x89PNG\r\n\x1a\n": "_png",
    b"GIF87a": "_gif",
    b"GIF89a": "_gif",
    b"II*\0": "_tiff",
    b"MM\0*": "_tiff",
    b"BM": "_bmp",
    b"RIFF\x10\0\0\0WEBPVP8X": "_webp",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "_heif",
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic": "_heif",
    b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc": "_heif",
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif": "_avif",
    b"\0\0\0\x1cftypavis\0\0\0\0avifmif1miaf": "_avif",
}


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_formats_are_recognised(begins):
    stream = io.BytesIO(begins + bytes(100))
    reader = picture_reader(stream)
    assert reader is not None
    assert reader.__name__ == BEGINNINGS[begins]
    assert stream.tell() == 0


@pytest.mark.parametrize(
    "begins",
    [
        b"",
        b"B",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"%PDF-1.7",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\0\0\0\x10ftypisom\0\0\0\0heic",  # the word lies behind the list of brands
        b"\0\0\0\x14ftypisomheicisom",  # the word is the version number
        b"GIF88a",
    ],
)
def test_other_files_have_no_reader(begins):
    assert picture_reader(io.BytesIO(begins + bytes(100))) is None

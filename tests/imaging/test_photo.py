"""Photos as people have them, and files that are none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from app.errors import PhotoMissing, PhotoTooLarge, PhotoUnreadable
from app.imaging.photo import LIMIT_FILE_BYTES, open_photo, photo_from_bytes, photo_from_rgb

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")

LOSSLESS = {
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-big": ("TIFF", {"big_tiff": True}),
}
LOSSY = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    "jpeg-progressive": ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
    "webp-lossy": ("WEBP", {"quality": 95}),
    "avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    "gif": ("GIF", {}),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg", "quality": 95}),
}
EVERY = LOSSLESS | LOSSY
INSIDE_EACH_QUARTER = (slice(4, None, 12), slice(4, None, 12))


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_very_pixels(name, quadrants_hwc, encode):
    kind, options = LOSSLESS[name]
    photo = photo_from_bytes(encode(quadrants_hwc, kind, **options), "x")
    assert np.array_equal(photo.rgb_hwc, quadrants_hwc)
    assert (photo.format, photo.notes) == (kind, ())


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_give_nearly_the_pixels(name, quadrants_hwc, encode):
    kind, options = LOSSY[name]
    photo = photo_from_bytes(encode(quadrants_hwc, kind, **options), "x")
    assert difference(photo.rgb_hwc[INSIDE_EACH_QUARTER], quadrants_hwc[INSIDE_EACH_QUARTER]) <= 8
    assert (photo.format, photo.notes) == (kind, ())


def test_the_pixels_can_be_shared_between_threads(quadrants_hwc, encode):
    photo = photo_from_bytes(encode(quadrants_hwc, "PNG"), "x")
    assert photo.rgb_hwc.dtype == np.uint8
    assert photo.rgb_hwc.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        photo.rgb_hwc[0, 0, 0] = 1


def test_a_photo_knows_its_file_and_how_long_it_took(tmp_path, quadrants_hwc, encode):
    path = tmp_path / "Übung 1.png"
    path.write_bytes(encode(quadrants_hwc, "PNG"))
    photo = open_photo(str(path))
    assert (photo.name, photo.path) == ("Übung 1.png", path)
    assert photo.decode_ms > 0


def test_the_path_given_is_the_path_kept(tmp_path, quadrants_hwc, encode):
    target = tmp_path / "real.png"
    target.write_bytes(encode(quadrants_hwc, "PNG"))
    link = tmp_path / "link.png"
    link.symlink_to(target)
    assert open_photo(link).path == link


def test_a_name_that_is_no_unicode_can_be_shown(tmp_path, quadrants_hwc, encode):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(raw, "wb") as stream:
        stream.write(encode(quadrants_hwc, "PNG"))
    assert open_photo(os.fsdecode(raw)).name == "caf\ufffd.png"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_suffix_does_not_matter(kind, tmp_path, quadrants_hwc, encode):
    path = tmp_path / "photo.gif"
    path.write_bytes(encode(quadrants_hwc, kind))
    assert open_photo(path).format == kind


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_extreme_shapes_are_read(size, encode):
    photo = photo_from_bytes(encode(Image.new("RGB", size, (9, 8, 7)), "PNG"), "x")
    assert photo.rgb_hwc.shape == (size[1], size[0], 3)


# --- several pictures in one file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_pictures_the_first_is_used(kind, quadrants_hwc, encode):
    later = Image.fromarray(255 - quadrants_hwc)
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = photo_from_bytes(encode(quadrants_hwc, kind, save_all=True, append_images=[later], **options), "x")
    assert difference(photo.rgb_hwc[INSIDE_EACH_QUARTER], quadrants_hwc[INSIDE_EACH_QUARTER]) <= 8
    assert photo.notes == ("first-frame",)


def test_a_jpeg_with_more_pictures_behind_it_is_an_ordinary_jpeg(quadrants_hwc, encode):
    # Phones keep depth, previews and brightness maps (HDR gain maps) there; the photo is the first one.
    later = Image.new("L", (16, 12), 200)
    photo = photo_from_bytes(encode(quadrants_hwc, "MPO", save_all=True, append_images=[later], quality=95), "x")
    assert difference(photo.rgb_hwc[INSIDE_EACH_QUARTER], quadrants_hwc[INSIDE_EACH_QUARTER]) <= 8
    assert (photo.format, photo.notes) == ("JPEG", ())


# --- what is no photo -----------------------------------------------------------------------------------------------


def test_a_file_that_is_gone_is_missing(tmp_path):
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    for path in (tmp_path / "none.jpg", tmp_path / "no folder" / "none.jpg", tmp_path / "dangling.jpg"):
        with pytest.raises(PhotoMissing) as caught:
            open_photo(path)
        assert caught.value.fields["photo"] == path.name


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "the file is empty"),
        (b"Dear all, the photo is attached.", "it is no known picture format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is no known picture format"),
        (b"\xff\xd8\xff", "the file is damaged or incomplete"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\0", "the file is damaged or incomplete"),
        (b"\x89PNG\r\n\x1a\n", "the file is damaged or incomplete"),
        (b"BM", "the file is damaged or incomplete"),
        (b"II*\0\xff\xff\xff\xff", "the file is damaged or incomplete"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "the file is damaged or incomplete"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "the file is damaged or incomplete"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "the file is damaged or incomplete"),
    ],
)
def test_what_is_no_picture_is_unreadable(content, cause, tmp_path):
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoUnreadable) as caught:
        open_photo(path)
    assert caught.value.fields == {"photo": "holiday.jpg", "cause": cause}


def test_a_folder_is_no_photo(tmp_path):
    with pytest.raises(PhotoUnreadable, match="it is a folder"):
        open_photo(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoUnreadable, match="it is no regular file"):
        open_photo(tmp_path / "pipe.jpg")


def test_a_device_is_refused():
    with pytest.raises(PhotoUnreadable, match="it is no regular file"):
        open_photo("/dev/zero")


def test_a_path_that_cannot_exist_is_unreadable():
    with pytest.raises(PhotoUnreadable):
        open_photo("zero\0byte.jpg")
    with pytest.raises(PhotoUnreadable):
        open_photo("x" * 300 + ".jpg")


@pytest.fixture
def without_privileges() -> Iterator[None]:
    """Root may read everything: be nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_file_without_permission_is_unreadable(tmp_path, quadrants_hwc, encode, request):
    path = tmp_path / "private.png"
    path.write_bytes(encode(quadrants_hwc, "PNG"))
    path.chmod(0)
    request.getfixturevalue("without_privileges")
    with pytest.raises(PhotoUnreadable, match="not permitted"):
        open_photo(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "film.webp"
    path.write_bytes(b"RIFF\xff\xff\xff\xffWEBPVP8 ")
    os.truncate(path, LIMIT_FILE_BYTES + 1)
    with pytest.raises(PhotoUnreadable, match="larger than 1 GB"):
        open_photo(path)


@pytest.mark.parametrize("name", EVERY)
def test_a_file_that_ends_early_never_gives_half_a_photo(name, ramps_hwc, encode):
    kind, options = EVERY[name]
    whole = encode(ramps_hwc, kind, **options)
    pixels = photo_from_bytes(whole, "x").rgb_hwc
    for kept in [*range(0, len(whole), max(len(whole) // 40, 1)), len(whole) - 30, len(whole) - 3]:
        try:
            photo = photo_from_bytes(whole[:kept], "x")
        except PhotoUnreadable:
            continue
        assert np.array_equal(photo.rgb_hwc, pixels), f"{kept} of {len(whole)} bytes"


@pytest.mark.parametrize("name", ["jpeg", "png", "gif"])
def test_a_half_copied_file_with_zeros_for_the_rest_is_unreadable(name, quadrants_hwc, ramps_hwc, encode):
    kind, options = EVERY[name]
    for pixels in (quadrants_hwc, ramps_hwc):
        whole = encode(pixels, kind, **options)
        with pytest.raises(PhotoUnreadable):
            photo_from_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2), "x")


# --- other sources --------------------------------------------------------------------------------------------------


def test_pixels_become_a_photo_by_copy(quadrants_hwc):
    photo = photo_from_rgb(quadrants_hwc[:, ::-1], "Pasted picture")
    expected = quadrants_hwc[:, ::-1].copy()
    quadrants_hwc[:] = 0
    assert np.array_equal(photo.rgb_hwc, expected)
    assert photo.rgb_hwc.flags.c_contiguous
    assert not photo.rgb_hwc.flags.writeable
    assert (photo.name, photo.path, photo.format, photo.notes) == ("Pasted picture", None, "RGB", ())


def test_pixels_that_are_no_photo_are_refused():
    with pytest.raises(PhotoUnreadable):
        photo_from_rgb(np.zeros((0, 5, 3), np.uint8), "x")
    with pytest.raises(PhotoTooLarge):
        photo_from_rgb(np.broadcast_to(np.zeros(3, np.uint8), (8001, 8000, 3)), "x")
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(ValueError, match="uint8 H×W×3"):
            photo_from_rgb(wrong, "x")


def test_threads_decode_side_by_side(ramps_hwc, encode, data_folder, icc):
    files = [encode(ramps_hwc, kind, **options) for kind, options in EVERY.values()]
    files += [path.read_bytes() for path in sorted(data_folder.glob("*.heic"))]
    files += [encode(ramps_hwc, "PNG", icc_profile=icc.rgb(icc.p3))]
    expected = [photo_from_bytes(data, "x").rgb_hwc for data in files]
    with ThreadPoolExecutor(8) as pool:
        for round_of_results in pool.map(lambda _: [photo_from_bytes(data, "x").rgb_hwc for data in files], range(8)):
            assert all(np.array_equal(a, b) for a, b in zip(round_of_results, expected, strict=True))


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True
    )


def test_importing_it_brings_nothing_that_the_first_photo_may_not_need():
    slow = ("pi_heif", "PIL.ImageCms", "PIL.TiffImagePlugin", "PIL.AvifImagePlugin", "PIL.ImageFont", "PySide6", "mlx")
    code = f"import sys, app.imaging.photo, app.imaging.crop; print([m for m in {slow!r} if m in sys.modules])"
    assert run_python(code).stdout == "[]\n"


def difference(a: np.ndarray, b: np.ndarray) -> int:
    """Largest difference of two pictures' values."""
    return int(np.abs(a.astype(int) - b.astype(int)).max())

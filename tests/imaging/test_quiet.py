"""Odd and damaged files make no noise."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_is_printed_about_odd_files(tmp_path, ramps_hwc, encode):
    odd_exif = encode(ramps_hwc, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12")
    (tmp_path / "exif.jpg").write_bytes(odd_exif)
    (tmp_path / "cut.tif").write_bytes(encode(ramps_hwc, "TIFF", compression="tiff_lzw")[:-50])
    deflated = encode(ramps_hwc, "TIFF", compression="tiff_adobe_deflate")
    (tmp_path / "damaged.tif").write_bytes(deflated.replace(deflated[8:40], b"\xff" * 32))
    (tmp_path / "cut.png").write_bytes(encode(ramps_hwc, "PNG")[:-500])
    code = """if True:
        import sys
        from app.errors import PhotoError
        from app.imaging.photo import open_photo
        for path in sys.argv[1:]:
            try:
                open_photo(path)
            except PhotoError:
                print("refused")
    """
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("refused\nrefused\nrefused\n", "")

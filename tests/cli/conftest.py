"""A photo to name, and English whatever the language of the machine."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def photo(tmp_path):
    """Path of a JPEG of 6 × 4 pixels."""
    path = tmp_path / "cat.jpg"
    Image.fromarray(np.full((4, 6, 3), 128, np.uint8)).save(path)
    return str(path)

"""Pillow as the bot's own process has it: decoders that a test adds go when it ends."""

import pytest
from PIL import AvifImagePlugin, Image


@pytest.fixture
def own_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()
    for name in ("ID", "OPEN", "SAVE", "SAVE_ALL", "MIME", "EXTENSION"):
        monkeypatch.setattr(Image, name, getattr(Image, name).copy())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", AvifImagePlugin.DEFAULT_MAX_THREADS)

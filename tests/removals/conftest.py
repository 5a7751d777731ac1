"""A studio whose server has a key."""

import pytest

from tests.fakes.studio import Studio


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio

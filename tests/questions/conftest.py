"""Who asks whom in these tests."""

import pytest

from tests.fakes.attachments import Attachments
from tests.fakes.studio import Studio
from tests.questions.asking import Asker


@pytest.fixture
async def asker(studio: Studio, attachments: Attachments) -> Asker:
    await studio.set_key()
    return Asker(studio, attachments)

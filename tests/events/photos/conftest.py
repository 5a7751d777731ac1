"""Who gives photos in these tests."""

import pytest

from tests.events.photo_givers import DAN, Giver
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA, BEN
from tests.fakes.studio import Studio


@pytest.fixture
def anna(studio: Studio, attachments: Attachments) -> Giver:
    return Giver(studio, attachments, ANNA)


@pytest.fixture
def ben(studio: Studio, attachments: Attachments) -> Giver:
    return Giver(studio, attachments, BEN)


@pytest.fixture
def dan(studio: Studio, attachments: Attachments) -> Giver:
    return Giver(studio, attachments, DAN)

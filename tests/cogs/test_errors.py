"""The error door: a private sentence with a number that is in the log, and nothing else."""

import dataclasses
import logging
import re
from typing import Any, NoReturn

import pytest

from bot.datasets.queue import ArrivalsFirst
from bot.datasets.service import DatasetService
from bot.training.service import TrainingService
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos

SECRET = "afk_in_the_middle_of_a_traceback"
LOGGED = [(logging.ERROR, f"no such thing: {SECRET}")]
INCIDENT = re.compile(
    r"Something went wrong on our side, and nothing was lost\. If it happens again, mention `([0-9a-f]{6})`\."
)


class BrokenDatasets(DatasetService):
    def __init__(self) -> None:
        """Needs no more: it never gets that far."""
        self.queue = ArrivalsFirst(1)

    async def create(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"no such thing: {SECRET}")


class BrokenTrainings(TrainingService):
    def __init__(self) -> None:
        """Needs nothing: it never gets that far."""

    async def running_of(self, *_: object) -> NoReturn:
        raise RuntimeError(f"no such thing: {SECRET}")

    async def start(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"no such thing: {SECRET}")


def put_in(stage: Stage, **services: Any) -> None:
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    bot.services = dataclasses.replace(bot.services, **services)


@pytest.fixture
def broken(keyed: Stage) -> Stage:
    put_in(keyed, trainings=BrokenTrainings())
    return keyed


def incidents(text: str, caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Level and error of each log line about the incident that this answer names."""
    match = INCIDENT.fullmatch(text)
    assert match is not None, text
    logged = [record for record in caplog.records if record.getMessage() == f"Incident {match[1]}"]
    return [(record.levelno, str(record.exc_info and record.exc_info[1])) for record in logged]


async def test_a_command_that_breaks_answers_with_an_incident_that_is_in_the_log(
    broken: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_to(await broken.use(broken.ben, "help"))
    assert incidents(answer, caplog) == LOGGED
    broken.world.env._errors.clear()


async def test_a_button_that_breaks_answers_with_an_incident_and_leaves_the_board(
    broken: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    board = board_of(await broken.send_form(broken.ben, "Foxy", photos(15)))
    pressed = await broken.start(broken.ben, board)
    assert incidents(answer_to(pressed), caplog) == LOGGED
    assert broken.charges() == []
    shown = await broken.use(broken.ben, "dataset show")
    assert "15 of 15–30 usable photos" in answer_to(shown)
    broken.world.env._errors.clear()


async def test_a_form_that_breaks_answers_with_an_incident(broken: Stage, caplog: pytest.LogCaptureFixture) -> None:
    put_in(broken, datasets=BrokenDatasets())
    answer = answer_to(await broken.send_form(broken.ben, "Foxy", photos(1)))
    assert incidents(answer, caplog) == LOGGED
    broken.world.env._errors.clear()


async def test_an_interaction_that_came_too_late_is_no_incident(keyed: Stage, caplog: pytest.LogCaptureFixture) -> None:
    keyed.world.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    await keyed.use(keyed.ben, "jobs")
    assert not any("Incident" in record.getMessage() for record in caplog.records)
    keyed.world.env._errors.clear()


@pytest.mark.parametrize("command", ["dataset show", "loras list", "jobs", "privacy show", "privacy erase", "about"])
async def test_every_command_answers_privately(keyed: Stage, command: str) -> None:
    assert answer_to(await keyed.use(keyed.ben, command))
    assert keyed.posts() == []

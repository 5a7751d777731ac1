"""What trainings and generations, the two kinds of paid jobs, have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation
from bot.records.job import SubjectTable
from bot.records.training import Training
from bot.storage.money.slots import SlotQueue

JobT = TypeVar("JobT", Training, Generation)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[JobT]):
    """`check_move(old, new)` raises IllegalMove; `by_webhook_token` finds the row of a webhook address, or None."""

    table: sa.Table
    subject: SubjectTable
    record: type[JobT]
    slots: SlotQueue
    check_move: Callable[[Any, Any], None]
    by_webhook_token: Callable[[AsyncConnection, str], Awaitable[JobT | None]]

"""Keeping a dataset open for longer than usual, because its member asked for it."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.datasets.rules import can_be_kept_for, consent_sentence
from bot.errors import UserError
from bot.records.dataset import Dataset
from bot.storage.jobs import datasets

NO_LONGER = "This dataset cannot be kept any longer. `/dataset show` says until when it is."


async def keep_longer(
    connection: AsyncConnection, dataset_id: int, timings: Timings, *, policy_version: str, now: datetime
) -> Dataset:
    """The dataset, kept as long as the operator allows, with its member's consent to that.

    UserError when that is no longer than now, or when somebody else agreed to photos for the usual time.
    """
    dataset = await datasets.get(connection, dataset_id)
    longest = None if dataset is None else can_be_kept_for(dataset, timings)
    if dataset is None or longest is None:
        raise UserError(NO_LONGER)
    if await datasets.has_others(connection, dataset):
        raise UserError(
            "Somebody else was asked about photos in this dataset for the time that was named to them, so it is not "
            "kept longer. Please start it in time, or begin a new one with your photos."
        )
    if not await datasets.keep_until(connection, dataset, dataset.created_at + longest, now=now):
        raise UserError("The time of this dataset is over, and its photos are deleted. Please begin again.")
    wording = consent_sentence(dataset.subject_kind, longest)
    await datasets.join_submissions(connection, dataset, (), policy_version=policy_version, wording=wording, now=now)
    return replace(dataset, kept_hours=longest // timedelta(hours=1))

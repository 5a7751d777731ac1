"""Members who are seen in somebody's photos: they are named and asked, and the photos wait for their yes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import consent_sentence, deletion_sentence
from bot.errors import UserError
from bot.ports import Members
from bot.records.dataset import Dataset, SubjectKind
from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind
from bot.storage.events import depictions
from bot.storage.jobs import datasets
from bot.storage.people import questions

NAMED_MAX = 10
"""Members that can be named at once."""
SEEN_IN_THEM = "I may be seen in these photos, and I am 18 or older."
CAN_SAY_NO = (
    "I can say no at any time: the photos are then deleted here at once, and what was trained on them is not used any "
    "more."
)


def depicted_sentence(dataset: Dataset, kept: timedelta) -> str:
    """The consent of a member who was named as seen in photos of a dataset; they are `kept` at most so long."""
    provider = dataset.subject_kind.provider.label
    if dataset.subject_kind is SubjectKind.CHARACTER:
        use = f"They may be sent to {provider}, which keeps them as a character's reference."
    else:
        use = f"They may be sent to {provider} to train a LoRA."
    return f"{SEEN_IN_THEM} {use} {deletion_sentence(dataset.subject_kind, kept)} {CAN_SAY_NO}"


def check_named(user_ids: Sequence[int], giver_id: int) -> tuple[int, ...]:
    """The named members, each once and without the giver, who has agreed already; UserError when there are too many."""
    named = tuple(user_id for user_id in dict.fromkeys(user_ids) if user_id != giver_id)
    if len(named) > NAMED_MAX:
        raise UserError(f"Up to {NAMED_MAX} members can be named at once. Please send the photos in parts.")
    return named


async def check_here(members: Members, guild_id: int, user_ids: Sequence[int]) -> None:
    """UserError when some of them are not in the server and so cannot be asked."""
    strangers = [each for each in user_ids if not await members.is_member(guild_id, each)]
    if strangers:
        mentions = ", ".join(f"<@{user_id}>" for user_id in strangers)
        raise UserError(f"Not in this server, so they cannot be asked: {mentions}. Please leave such photos out.")


async def ask_depicted(
    connection: AsyncConnection,
    consent_id: int,
    user_ids: Sequence[int],
    *,
    guild_id: int,
    giver_id: int,
    event_id: int | None = None,
    dataset_id: int | None = None,
    now: datetime,
) -> None:
    """Ask each of them in a private message whether the submission's photos may be used."""
    for user_id in user_ids:
        depiction_id = await depictions.insert(
            connection,
            event_id=event_id,
            dataset_id=dataset_id,
            guild_id=guild_id,
            consent_id=consent_id,
            user_id=user_id,
            named_by=giver_id,
            created_at=now,
        )
        await questions.ask(
            connection,
            PostKind.DEPICTION,
            depiction_id,
            guild_id=guild_id,
            from_id=giver_id,
            to_id=user_id,
            places=[Place(PlaceKind.USER, user_id)],
            now=now,
        )


async def ask_about_dataset(
    connection: AsyncConnection,
    dataset: Dataset,
    user_ids: Sequence[int],
    *,
    policy_version: str,
    kept: timedelta,
    now: datetime,
) -> None:
    """Ask about all photos that the dataset has now, in one question where nobody was named before.

    `kept`: how long its photos are at most.
    """
    known = {(each.consent_id, each.user_id) for each in await depictions.of_dataset(connection, dataset.id)}
    apart = {consent_id for consent_id, _ in known}
    wording = consent_sentence(dataset.subject_kind, kept)
    await datasets.join_submissions(connection, dataset, apart, policy_version=policy_version, wording=wording, now=now)
    photos = await datasets.photos_of(connection, dataset.id)
    for consent_id in sorted({each.consent_id for each in photos if each.consent_id is not None and each.file}):
        new = [user_id for user_id in user_ids if (consent_id, user_id) not in known]
        ids = {"guild_id": dataset.guild_id, "giver_id": dataset.user_id, "dataset_id": dataset.id}
        await ask_depicted(connection, consent_id, new, **ids, now=now)

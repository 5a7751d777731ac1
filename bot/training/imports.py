"""LoRAs of the server's Apiframe team that nobody here has: finding them, and giving one an owner.

What is known of other servers with a key of the same team is never told: a LoRA that is somebody's there, one that is
being trained and one that was erased are left out alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.ages import is_below_18, mentions_minor
from bot.errors import KeyRejected, Missing, NoKey, NotAllowed, ProviderError, UserError
from bot.keys.service import KeyService, explain
from bot.moderation.texts import check_text
from bot.providers.base import Progress, ProviderClient, TrainingReport
from bot.records.dataset import SubjectKind
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.lora import NAME_MAX, Lora
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.resources import Resources, Service
from bot.storage.jobs import imports as rows
from bot.storage.jobs import posts
from bot.storage.money import keys
from bot.storage.people import moderation, moderation_log
from bot.training.lifecycle import marker_of

PROVIDER = ProviderName.APIFRAME
"""The one provider that trains LoRAs."""
AGREED = "Everyone who can be seen in it is 18 or older and has agreed to it, or nobody can be seen in it."

ADMINS_ONLY = "Only admins can give LoRAs of the team an owner."
NOT_AGREED = (
    "Nothing was imported. Please open the list again and tick the box if everyone in it agreed; "
    "if you are not sure, ask them first."
)
NOT_TO_GIVE = "This LoRA cannot be given any more. `/loras import` shows which can."
BLOCKED = "This member is blocked here, so no LoRA can be theirs. Please pick another."
BAD_NAME = f"A name takes 1 to {NAME_MAX} characters. Please pick a shorter one."
SEALED = "The stored API key cannot be opened. Please run `/keys set` again."


@dataclass(frozen=True, slots=True)
class Importable:
    """`name` is the one at the provider, as long as a name may be here."""

    remote_id: str
    name: str
    subject_kind: SubjectKind
    trigger_word: str | None
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamLoras:
    """What can be given an owner, newest first; `left_out`: how many others of the team are ready."""

    loras: tuple[Importable, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """`owner_id` is a member of the guild and no bot, which the caller has checked."""

    remote_id: str
    name: str
    owner_id: int
    agreed: bool


class ImportService(Service):
    def __init__(self, opened: Resources, key_service: KeyService) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._policy = opened.policy

    async def found(self, actor: Actor) -> TeamLoras:
        """Asks the provider for the whole list. UserError, with a sentence, when it cannot be had."""
        key, client = await self._connect(actor)
        try:
            ready = [report for report in await client.loras() if report.progress is Progress.READY]
        except ProviderError as error:
            raise await self._explained(key, error) from error
        known = await self._database.fetch(rows.known, PROVIDER, _markers(ready))
        free = [report for report in ready if report.request_id not in known and not _may_show_minor(report)]
        return TeamLoras(tuple(map(_importable, free)), left_out=len(ready) - len(free))

    async def give(self, order: ImportOrder, actor: Actor, channel_id: int | None) -> Lora:
        """Make the member the owner of the LoRA, and tell them. Done twice, it is done once.

        They are told in this channel, which they can see, if no private message reaches them.

        The provider is asked once more, and what is known is looked at in the transaction that stores it.
        """
        name = " ".join(order.name.split())
        if not 1 <= len(name) <= NAME_MAX:
            raise UserError(BAD_NAME)
        if not order.agreed:
            raise UserError(NOT_AGREED)
        key, client = await self._connect(actor)
        report = await self._look(key, client, order.remote_id)

        async def transaction(connection: AsyncConnection) -> Lora:
            before = await rows.here(connection, actor.guild_id, PROVIDER, order.remote_id)
            if before is not None:
                return _again(before, order)
            await self._check(connection, key, report, order.owner_id)
            await check_text(connection, actor.guild_id, name)
            return await self._store(connection, key, report, order, name, actor, channel_id)

        return await self._database.write(transaction)

    async def _connect(self, actor: Actor) -> tuple[ApiKeyRow, ProviderClient]:
        if not actor.is_admin:
            raise NotAllowed(ADMINS_ONLY)
        key = await self._keys.current(actor.guild_id, PROVIDER)
        client = await self._keys.client(key.id)
        if client is None:
            raise NoKey(SEALED)
        return key, client

    async def _look(self, key: ApiKeyRow, client: ProviderClient, remote_id: str) -> TrainingReport:
        try:
            report = await client.training(remote_id)
        except Missing as error:
            raise UserError(NOT_TO_GIVE) from error
        except ProviderError as error:
            raise await self._explained(key, error) from error
        if report.request_id != remote_id or report.progress is not Progress.READY or _may_show_minor(report):
            raise UserError(NOT_TO_GIVE)
        return report

    async def _explained(self, key: ApiKeyRow, error: ProviderError) -> UserError:
        if isinstance(error, KeyRejected):
            await self._keys.is_refused(key.id, error)
        return UserError(explain(error, PROVIDER))

    async def _check(self, connection: AsyncConnection, key: ApiKeyRow, report: TrainingReport, owner_id: int) -> None:
        current = await keys.current(connection, key.guild_id, PROVIDER)
        if current is None or current.row.id != key.id or await rows.known(connection, PROVIDER, _markers([report])):
            raise UserError(NOT_TO_GIVE)
        if await moderation.is_blocked(connection, key.guild_id, owner_id):
            raise UserError(BLOCKED)

    async def _store(
        self,
        connection: AsyncConnection,
        key: ApiKeyRow,
        report: TrainingReport,
        order: ImportOrder,
        name: str,
        actor: Actor,
        channel_id: int | None,
    ) -> Lora:
        now = self._clock.now()
        lora = await rows.insert(
            connection,
            guild_id=actor.guild_id,
            owner_id=order.owner_id,
            provider=PROVIDER,
            remote_id=report.request_id,
            name=name,
            trigger_word=report.trigger_word,
            subject_kind=report.subject_kind or SubjectKind.OBJECT,
            account=key.account,
            created_at=min(report.created_at or now, now),
        )
        wording = f"{AGREED} ({PROVIDER.label}'s LoRA {lora.remote_id})"
        said = {"user_id": actor.user_id, "wording": wording, "policy_version": self._policy.version}
        await rows.record_consent(connection, lora, given_at=now, **said)
        about = f"LoRA #{lora.id}, imported from {PROVIDER.label}"
        owner = None if lora.owner_id == actor.user_id else lora.owner_id
        await moderation_log.note(
            connection, actor.guild_id, Act.SHARED, actor.user_id, about, member_id=owner, now=now
        )
        if owner is not None:
            here = [] if channel_id is None else [Place(PlaceKind.CHANNEL, channel_id)]
            places = [Place(PlaceKind.USER, owner), *here]
            guild_id, kind = actor.guild_id, PostKind.LORA_IMPORTED
            await posts.add(connection, kind, lora.id, guild_id=guild_id, user_id=owner, places=places, now=now)
        return lora


def _again(lora: Lora, order: ImportOrder) -> Lora:
    """It was given before: to the same member, or to somebody else."""
    if lora.owner_id != order.owner_id:
        raise UserError(f"This LoRA has an owner here already: <@{lora.owner_id}>. `/loras show` shows it.")
    return lora


def _importable(report: TrainingReport) -> Importable:
    name = report.name[:NAME_MAX].strip() or "LoRA"
    kind = report.subject_kind or SubjectKind.OBJECT
    return Importable(report.request_id, name, kind, report.trigger_word, report.created_at)


def _may_show_minor(report: TrainingReport) -> bool:
    """By what the provider was told when it was trained."""
    is_young = report.age is not None and is_below_18(report.age)
    return is_young or (report.subject_kind is SubjectKind.PERSON and mentions_minor(report.name))


def _markers(reports: Iterable[TrainingReport]) -> dict[str, str | None]:
    return {report.request_id: marker_of(report.name) for report in reports}

"""The removal lane: asks a provider to remove one object, again and again, until it has said that it is gone."""

from datetime import timedelta

from bot.errors import KeyRejected, Missing, ProviderError
from bot.keys.service import KeyService
from bot.providers.base import ProviderClient
from bot.providers.witness import look_at_generation, look_at_training
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.records.removal import Removal, RemovalAnswer, RemovalKind, RemovalStatus
from bot.removals import rules
from bot.removals.outcomes import RemovalOutcomes
from bot.resources import Resources, Service
from bot.storage.due import Claim
from bot.storage.jobs import loras, trainings
from bot.storage.money import spends
from bot.storage.people import removals

LOOK_BACK = timedelta(days=1)
"""A search in the provider's list begins this long before our own note of sending, because clocks differ."""
MADE_THERE = {ProviderName.APIFRAME: RemovalKind.LORA, ProviderName.AUROUS: RemovalKind.CHARACTER}


class RemovalSteps(Service):
    def __init__(self, opened: Resources, key_service: KeyService, outcomes: RemovalOutcomes) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._outcomes = outcomes

    async def advance(self, claim: Claim[Removal]) -> None:
        removal = claim.row
        if removal.status is RemovalStatus.ENDED:
            await self._outcomes.forget(claim)
        elif removal.kind is not RemovalKind.TRAINING or not await self._is_followed_elsewhere(claim):
            await self._ask(claim)

    async def _is_followed_elsewhere(self, claim: Claim[Removal]) -> bool:
        """While the training is a row here, its own lane watches it; its LoRA is removed when it is there."""
        training = await self._database.fetch(trainings.get, claim.row.subject_id)
        if training is None:
            return False
        lora: Lora | None = None
        if training.lora_id is not None:
            lora = await self._database.fetch(loras.get, training.lora_id)
        if lora is not None:
            kind = RemovalKind.CHARACTER if lora.is_character else RemovalKind.LORA
            await self._outcomes.made(claim, kind, lora.remote_id, None)
        elif not training.status.is_terminal:
            await self._outcomes.watch(claim)
        elif training.request_id is not None and claim.row.remote_id is None:
            await self._outcomes.found(claim, training.request_id)
        else:
            return False
        return True

    async def _ask(self, claim: Claim[Removal]) -> None:
        key_id = await self._database.fetch(removals.key_for, claim.row)
        if key_id is None:
            await self._cannot_ask(claim)
            return
        client = await self._keys.client(key_id)
        if client is None:
            await self._outcomes.later(claim)
            return
        try:
            await self._ask_under(claim, client)
        except ProviderError as error:
            if isinstance(error, KeyRejected):
                await self._keys.is_refused(key_id, error)
            await self._outcomes.later(claim, error)

    async def _cannot_ask(self, claim: Claim[Removal]) -> None:
        gone_at = rules.gone_by_itself_at(claim.row)
        if gone_at is None:
            await self._outcomes.sleep(claim)
        elif self._clock.now() < gone_at:
            await self._outcomes.rest(claim, gone_at)
        else:
            await self._outcomes.end(claim, RemovalAnswer.NO_CALL, was_asked=False)

    async def _ask_under(self, claim: Claim[Removal], client: ProviderClient) -> None:
        removal = claim.row
        match removal.kind:
            case RemovalKind.TRAINING if removal.remote_id is not None:
                await self._follow(claim, client, removal.remote_id)
            case RemovalKind.TRAINING:
                await self._search(claim, client)
            case RemovalKind.PICTURES:
                await self._settle_order(claim, client)
            case RemovalKind.UPLOAD:
                is_gone = await client.remove_upload(removal.remote_id or "")
                answer = RemovalAnswer.REMOVED if is_gone else RemovalAnswer.NO_CALL
                await self._outcomes.end(claim, answer, was_asked=is_gone)
            case _:
                await self._remove(claim, client, removal.remote_id or "")

    async def _search(self, claim: Claim[Removal], client: ProviderClient) -> None:
        """The answer to the order is missing: it may be there, or may still arrive, until `training_deadline`."""
        removal = claim.row
        report = await client.find_training(removal.marker or "", removal.sent_at - LOOK_BACK)
        if report is not None:
            await self._outcomes.found(claim, report.request_id)
        elif self._clock.now() > removal.sent_at + self._timings.training_deadline:
            await self._outcomes.end(claim, RemovalAnswer.NEVER_MADE, took=rules.FAILED)
        else:
            await self._outcomes.watch(claim)

    async def _follow(self, claim: Claim[Removal], client: ProviderClient, remote_id: str) -> None:
        """Removing a training that is under way is not documented (Apiframe /docs/loras): wait until it has ended."""
        removal = claim.row
        took = None
        try:
            report = await look_at_training(client, remote_id, removal.sent_at - LOOK_BACK)
        except Missing:
            if not await self._outcomes.is_believed(claim):
                return
        else:
            is_late = self._clock.now() > removal.sent_at + self._timings.give_up
            if report.progress in rules.UNDER_WAY and not is_late:
                await self._outcomes.watch(claim)
                return
            took = rules.training_took(report.progress)
        await self._outcomes.made(claim, MADE_THERE[removal.provider], remote_id, took)

    async def _settle_order(self, claim: Claim[Removal], client: ProviderClient) -> None:
        """No provider deletes pictures when it is asked to; an order can be cancelled, and what it took be learnt."""
        removal = claim.row
        took = None
        if removal.remote_id is not None and self._clock.now() < removal.sent_at + self._timings.give_up:
            if removal.asked_at is None:
                await client.cancel_generation(removal.remote_id)
            try:
                report = await look_at_generation(client, removal.remote_id, removal.sent_at - LOOK_BACK)
            except Missing:
                if not await self._outcomes.is_believed(claim):
                    return
            else:
                if report.progress in rules.UNDER_WAY:
                    await self._outcomes.watch(claim)
                    return
                spend = await self._database.fetch(spends.of_job, removal.subject_table, removal.subject_id)
                took = rules.pictures_took(report, spend)
        await self._outcomes.end(claim, RemovalAnswer.NO_CALL, took=took)

    async def _remove(self, claim: Claim[Removal], client: ProviderClient, remote_id: str) -> None:
        """A 404 contradicts what we know, so it is believed only when it is said again and again."""
        if await client.archive_lora(remote_id):
            await self._outcomes.end(claim, RemovalAnswer.REMOVED)
        elif await self._outcomes.is_believed(claim):
            await self._outcomes.end(claim, RemovalAnswer.NOT_THERE)

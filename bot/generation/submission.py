"""Sending an order to the provider: uploads the references, then makes the paid call, at most once."""

from datetime import timedelta

from bot.errors import Busy, KeyRejected, Missing, NoKey, OutOfCredits, ProviderError, Refused, Unavailable
from bot.generation import failures
from bot.generation.capabilities import Target
from bot.generation.order import provider_order
from bot.generation.outcomes import GenerationOutcomes, paid_for
from bot.generation.pricing import has_vanished
from bot.generation.references import References
from bot.jobs.outcomes import ENDED_BY_MODERATORS, EVENT_CANCELLED, NOTHING
from bot.keys.service import KeyService
from bot.providers.base import GenerationReport, ProviderClient
from bot.providers.calls import CLOCK_SLACK
from bot.records.generation import Generation, GenerationStatus, Operation
from bot.records.lora import Lora
from bot.resources import Resources, Service
from bot.storage.due import Claim
from bot.storage.jobs import generations, loras, styles, trainings
from bot.storage.restored import Restored

S = GenerationStatus

RETIRING = "Somebody in it does not want that any more, so no more pictures are made with this LoRA."
RESTING = (
    "This LoRA rests: somebody says that they can be seen in it. That is decided within 72 hours. Nothing was charged."
)
KEY_MEMORY = timedelta(hours=23)
"""Providers replay an Idempotency-Key for 24 h (Apiframe OpenAPI 2.0.0, Aurous Labs /idempotency); we stop trusting
it an hour earlier."""


class GenerationSubmission(Service):
    def __init__(
        self, opened: Resources, key_service: KeyService, references: References, outcomes: GenerationOutcomes
    ) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._references = references
        self._outcomes = outcomes
        self._webhook_url = opened.webhook_url

    async def advance(self, claim: Claim[Generation]) -> None:
        """Send the order, or send it again under its idempotency key: the provider then repeats its first answer."""
        generation, now = claim.row, self._clock.now()
        if generation.status is S.QUEUED and await self._outcomes.is_event_cancelled(generation):
            await self._outcomes.fail(claim, EVENT_CANCELLED, is_posted=False)
            return
        if generation.status is S.QUEUED and await self._outcomes.is_blocked(generation):
            await self._outcomes.fail(claim, ENDED_BY_MODERATORS, is_posted=False)
            return
        if generation.submitting_at is not None and now > generation.submitting_at + KEY_MEMORY:
            await self._fail(claim, failures.UNKNOWN_OUTCOME)
            return
        restored = self._sent_by_another_life(generation)
        if now > generation.created_at + self._timings.give_up:
            if restored is not None:
                await self._stop_unknown(claim)
                return
            was_sent = generation.submitting_at is not None
            await self._fail(claim, failures.UNKNOWN_OUTCOME if was_sent else failures.UNREACHABLE)
            return
        client = await self._client(claim)
        if client is None:
            return
        if restored is not None and not await self._is_unsent(claim, client, restored):
            return
        target = await self._target(claim)
        if target is None:
            return
        if generation.status is S.QUEUED and not await self._is_ready(claim, client):
            return
        claim = await self._outcomes.submitting(claim)
        await self._send(claim, client, target)

    async def _send(self, claim: Claim[Generation], client: ProviderClient, target: Target) -> None:
        generation = claim.row
        stored = await self._database.fetch(generations.references_of, generation.id)
        order = provider_order(
            target,
            generation.prompt,
            generation.settings,
            generation.operation,
            idempotency_key=generation.idempotency_key,
            webhook_url=self._webhook_url(generation),
            references=[reference.remote_id for reference in stored if reference.remote_id is not None],
        )
        try:
            report = await client.submit_generation(order)
        except ProviderError as error:
            vanished = await has_vanished(client, target.lora, error)
            await self._not_submitted(claim, error, target.lora if vanished else None)
        else:
            await self._outcomes.submitted(claim, report)

    def _sent_by_another_life(self, generation: Generation) -> Restored | None:
        """When an order that is new to us may be paid for already, and its key does not keep it from being so again."""
        if generation.submitting_at is not None:
            return None
        return self._database.inherited.may_be_sent(generation, self._clock.now() - KEY_MEMORY)

    async def _is_unsent(self, claim: Claim[Generation], client: ProviderClient, restored: Restored) -> bool:
        """Whether the provider has nothing, from the time between backup and restore, that this order can be.

        What we know is another order, and what is young enough is repeated under its key. If there is anything else,
        nobody can tell whether it is this order, as the list does not say what was asked for: the order ends.
        """
        known = await self._database.fetch(generations.request_ids)
        until = min(restored.restored_at, self._clock.now() - KEY_MEMORY) + CLOCK_SLACK

        def can_be_it(report: GenerationReport) -> bool:
            return report.request_id not in known and (report.created_at is None or report.created_at <= until)

        try:
            found = await client.find_generation(can_be_it, restored.taken_at)
        except ProviderError as error:
            await self._not_submitted(claim, error)
            return False
        if found is not None:
            await self._stop_unknown(claim)
        return found is None

    async def _stop_unknown(self, claim: Claim[Generation]) -> None:
        """Whoever did not press for it, the first picture of a LoRA or one of an event's pack, is not told."""
        was_asked_for = claim.row.sample_of is None and claim.row.pack_index is None
        took = paid_for(claim.row)
        await self._outcomes.fail(claim, failures.UNKNOWN_OUTCOME, is_posted=was_asked_for, took=took, may_be_sent=True)

    async def _target(self, claim: Claim[Generation]) -> Target | None:
        """What the order is made with; None, and the order has failed, when the LoRA or style has gone meanwhile."""
        generation = claim.row
        async with self._database.read() as connection:
            lora = None if generation.lora_id is None else await loras.get(connection, generation.lora_id)
            style = None if generation.style_id is None else await styles.get(connection, generation.style_id)
        if generation.lora_id is not None and (lora is None or lora.archived_at is not None):
            await self._fail(claim, failures.ARCHIVED)
            return None
        if generation.status is S.QUEUED and lora is not None and lora.retiring_since is not None:
            await self._outcomes.fail(claim, RETIRING)
            return None
        if generation.status is S.QUEUED and lora is not None and lora.resting_since is not None:
            await self._outcomes.fail(claim, RESTING)
            return None
        if generation.style_id is not None and (style is None or style.retired_at is not None):
            await self._fail(claim, failures.RETIRED)
            return None
        return Target(generation.provider, lora, style)

    async def _is_ready(self, claim: Claim[Generation], client: ProviderClient) -> bool:
        """Check the balance and upload the references before the first try; False when the order was stopped here."""
        try:
            if not await self._can_pay(claim, client):
                return False
            if await self._references.upload(claim.row, client):
                return True
        except ProviderError as error:
            await self._not_submitted(claim, error)
            return False
        await self._outcomes.fail(claim, failures.REFERENCES_GONE)
        return False

    async def _can_pay(self, claim: Claim[Generation], client: ProviderClient) -> bool:
        generation = claim.row
        account = await client.account()
        needed = generation.estimate
        if needed is None and generation.operation is Operation.IMAGINE:
            needed = client.prices.picture * generation.settings.count
        if account.credits is None or needed is None:
            return True
        charged_later = await self._database.fetch(trainings.not_yet_charged, generation.key_id)
        held = client.prices.training * charged_later
        if account.credits >= needed + held:
            return True
        short = OutOfCredits(required=needed, available=account.credits)
        await self._outcomes.fail(claim, failures.out_of_credits(short, held))
        return False

    async def _client(self, claim: Claim[Generation]) -> ProviderClient | None:
        """Once sent, always the same key; before that, the guild's present one. None when it cannot be sent now."""
        generation = claim.row
        if generation.submitting_at is not None:
            client = await self._keys.client(generation.key_id)
            if client is None:
                await self._fail(claim, failures.UNKNOWN_OUTCOME)
            return client
        try:
            key = await self._keys.current(generation.guild_id, generation.provider)
        except NoKey as error:
            await self._outcomes.fail(claim, str(error))
            return None
        if key.id != generation.key_id:
            await self._database.write(lambda connection: generations.forget_uploads(connection, generation.id))
            await self._outcomes.keep(claim, due_in=timedelta(0), key_id=key.id)
            return None
        return await self._keys.client(key.id)

    async def _not_submitted(self, claim: Claim[Generation], error: ProviderError, missing: Lora | None = None) -> None:
        generation = claim.row
        match error:
            case Busy() | Unavailable():
                wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
                await self._outcomes.later(claim, wait)
            case KeyRejected():
                await self._key_rejected(claim, error)
            case OutOfCredits():
                await self._outcomes.fail(claim, failures.out_of_credits(error), trace=error.trace)
            case Refused() | Missing() if missing is not None:
                sentence = failures.gone_at_provider(missing)
                await self._outcomes.fail(claim, sentence, trace=error.trace, missing=missing)
            case Refused() | Missing():
                await self._outcomes.fail(claim, failures.refused(generation.provider, error), trace=error.trace)
            case _:
                await self._outcomes.later(claim)

    async def _key_rejected(self, claim: Claim[Generation], error: KeyRejected) -> None:
        """Ask again while it is open whether the key works; an order that a working key may not send fails."""
        generation = claim.row
        if await self._keys.is_refused(generation.key_id, error, noticed_in=generation.channel_id):
            await self._outcomes.fail(claim, failures.key_rejected(generation.provider), trace=error.trace)
        elif await self._outcomes.is_believed(claim, self._timings.key_doubted):
            refusal = Refused(error.sentence, status=error.status)
            await self._outcomes.fail(claim, failures.refused(generation.provider, refusal), trace=error.trace)

    async def _fail(self, claim: Claim[Generation], sentence: str) -> None:
        """It is not sent any more: an order that was sent before may have been taken and paid for."""
        took = NOTHING if claim.row.submitting_at is None else paid_for(claim.row)
        await self._outcomes.fail(claim, sentence, took=took)

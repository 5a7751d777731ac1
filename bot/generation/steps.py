"""The generation lane: from queued to pictures on our disk and in the outbox, paying at most once."""

from dataclasses import replace
from datetime import timedelta

from bot.errors import KeyRejected, Missing, ProviderError
from bot.generation import failures
from bot.generation.downloads import PictureDownloads
from bot.generation.outcomes import GenerationOutcomes, paid_for
from bot.generation.submission import GenerationSubmission
from bot.keys.service import KeyService
from bot.providers.base import GenerationReport, Progress
from bot.providers.witness import look_at_generation
from bot.records.generation import Generation, GenerationStatus
from bot.records.limit import Amount
from bot.resources import Resources, Service
from bot.storage.due import Claim

S = GenerationStatus


class GenerationSteps(Service):
    def __init__(
        self, opened: Resources, key_service: KeyService, outcomes: GenerationOutcomes, submission: GenerationSubmission
    ) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._outcomes = outcomes
        self._downloads = PictureDownloads(opened, key_service, outcomes)
        self._submission = submission

    async def advance(self, claim: Claim[Generation]) -> None:
        match claim.row.status:
            case S.QUEUED | S.SUBMITTING:
                await self._submission.advance(claim)
            case S.SUBMITTED:
                await self._poll(claim)
            case S.FETCHING:
                await self._downloads.fetch(claim)
            case S.READY if claim.row.doubt is not None:
                await self._downloads.fetch_late(claim)
            case _:
                await self._outcomes.forget(claim)

    async def _poll(self, claim: Claim[Generation]) -> None:
        generation = claim.row
        client = await self._keys.client(generation.key_id)
        if client is None:
            await self._outcomes.fail(claim, failures.KEY_REMOVED, took=paid_for(generation))
            return
        assert generation.request_id is not None  # set together with the status
        assert generation.submitting_at is not None  # the same
        try:
            report = await look_at_generation(client, generation.request_id, generation.submitting_at)
        except Missing:
            await self._doubt(claim, failures.FORGOTTEN, generation.cost)
        except KeyRejected as error:
            await self._keys.is_refused(generation.key_id, error, noticed_in=generation.channel_id)
            await self._outcomes.later_or_fail(claim, failures.NEVER_FINISHED)
        except ProviderError:
            await self._outcomes.later_or_fail(claim, failures.NEVER_FINISHED)
        else:
            await self._take_report(claim, report)

    async def _doubt(self, claim: Claim[Generation], at_last: str, cost: int | None) -> None:
        """The provider contradicts that it took this order; only when it insists, the order fails with `at_last`."""
        if await self._outcomes.is_believed(claim, self._timings.job_doubted):
            await self._outcomes.fail(claim, at_last, took=paid_for(replace(claim.row, cost=cost)))

    async def _take_report(self, claim: Claim[Generation], report: GenerationReport) -> None:
        generation = claim.row
        if report.progress is Progress.READY and not report.image_urls:
            await self._doubt(claim, failures.EXPIRED if report.expired else failures.EMPTY, report.cost)
        elif report.progress is Progress.READY:
            await self._outcomes.keep(
                claim,
                due_in=timedelta(0),
                note="made",
                status=S.FETCHING,
                image_urls=report.image_urls,
                cost=report.cost,
                attempt=0,
                doubt=None,
            )
        elif report.progress is Progress.FAILED:
            sentence = failures.failed_at_provider(generation.provider, report.error)
            await self._outcomes.fail(claim, sentence, took=Amount(report.cost or 0))
        elif self._outcomes.is_older_than(generation, self._timings.give_up):
            await self._outcomes.fail(claim, failures.NEVER_FINISHED, took=paid_for(generation))
        else:
            slow = self._outcomes.is_older_than(generation, self._timings.generation_deadline)
            wait = self._timings.generation_poll * 1.5 ** min(generation.attempt, 10)
            pause = self._timings.backoff_max if slow else min(wait, self._timings.generation_poll_max)
            await self._outcomes.keep(
                claim, due_in=pause, attempt=generation.attempt + 1, doubt=None, percent=report.percent
            )

"""Reports of pictures: stored once, sent to the moderators, closed by them."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import reportable_generation, secret_name, visible_generation
from bot.guilds import moderator_places
from bot.records.ballot import Entry
from bot.records.event import Event, EventStatus
from bot.records.generation import Generation, Report
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.moderation import Act
from bot.records.post import Post, PostKind, public_place
from bot.resources import Service
from bot.storage.events import ballots
from bot.storage.jobs import generations, pictures, posts, previews, timeline
from bot.storage.people import moderation_log

REASON_MAX = 500
NOBODY_TO_TELL = "There is nobody Darkroom could send this to. Please tell a moderator yourself."
NO_SUCH_REPORT = "This report is not here any more."


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report with its pictures. `message` is where they can be seen: (channel id, message id).

    `secret_name`: what they are called as long as nobody is to know whose they are.
    """

    report: Report
    generation: Generation
    message: tuple[int, int] | None
    secret_name: str | None = None


class ReportService(Service):
    async def check(self, generation_id: int, actor: Actor) -> None:
        """NotFound unless this member may see the pictures."""
        await self._database.fetch(visible_generation, generation_id, actor)

    async def report(self, generation_id: int, reason: str, actor: Actor) -> None:
        """Store the report and tell the moderators, once for each member and set of pictures.

        Its LoRA keeps none of them as a preview, whatever the moderators say.
        """
        reason, now = " ".join(reason.split())[:REASON_MAX], self._clock.now()
        if not reason:
            raise UserError("Please say what is wrong with these pictures.")

        async def transaction(connection: AsyncConnection) -> list[str]:
            generation = await reportable_generation(connection, generation_id, actor)
            places = await moderator_places(connection, generation.guild_id, generation.provider)
            if not places:
                raise UserError(NOBODY_TO_TELL)
            report_id = await pictures.add_report(connection, generation_id, reason, actor, now=now)
            if report_id is None:
                raise UserError("You have reported these pictures already; the moderators know.")
            await posts.add(
                connection,
                PostKind.PICTURE_REPORT,
                report_id,
                guild_id=actor.guild_id,
                user_id=actor.user_id,
                places=places,
                now=now,
            )
            return await previews.forget_set(connection, generation_id)

        self._spool.free(await self._database.write(transaction))

    async def view(self, report_id: int) -> ReportView | None:
        """The report, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            report = await pictures.get_report(connection, report_id)
            generation = None if report is None else await generations.get(connection, report.generation_id)
            if report is None or generation is None:
                return None
            name, voting = await _secret_name(connection, generation), await _voting(connection, generation)
            if voting is None:
                return ReportView(report, generation, await message_of(connection, generation.id), name)
            ballot = await posts.find(connection, PostKind.EVENT_BALLOT, voting[0].id)
            return ReportView(report, generation, _seen_at(ballot), name)

    async def for_moderator(self, report_id: int, actor: Actor) -> Report:
        if not actor.is_moderator:
            raise NotAllowed("Only a moderator can close a report.")
        report = await self._database.fetch(pictures.get_report, report_id)
        if report is None or report.guild_id != actor.guild_id:
            raise NotFound(NO_SUCH_REPORT)
        return report

    async def dismiss(self, report_id: int, actor: Actor) -> None:
        """Close the report without deleting the pictures; its card shows that."""
        report, now = await self.for_moderator(report_id, actor), self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if not await pictures.dismiss_report(connection, report_id, guild_id=actor.guild_id, now=now):
                raise UserError("This report was dismissed already.")
            generation = await generations.get(connection, report.generation_id)
            name = None if generation is None else await _secret_name(connection, generation)
            about = f"report #{report_id} about {name or f'pictures #{report.generation_id}'}, dismissed"
            await moderation_log.note(connection, actor.guild_id, Act.MODERATED, actor.user_id, about, now=now)
            detail = f"by moderator {actor.user_id}"
            await timeline.add(
                connection, SubjectTable.GENERATION, report.generation_id, "report dismissed", at=now, detail=detail
            )
            await posts.renew(connection, PostKind.PICTURE_REPORT, report_id, due_at=now)

        await self._database.write(transaction)


async def _voting(connection: AsyncConnection, generation: Generation) -> tuple[Event, Entry] | None:
    """The vote in which a picture of this set stands now, with its entry."""
    stood = await ballots.stands_in(connection, generation)
    return None if stood is None or stood[0].status is not EventStatus.VOTING else stood


async def _secret_name(connection: AsyncConnection, generation: Generation) -> str | None:
    """As of all pictures of an event, but an entry that stands in the ballot has a number there."""
    voting = await _voting(connection, generation)
    if voting is not None:
        return f"entry number {voting[1].position} of a vote"
    return await secret_name(connection, generation)


async def message_of(connection: AsyncConnection, generation_id: int) -> tuple[int, int] | None:
    """The channel and the message in which the pictures can be seen; None when they are in no channel."""
    found = map(_seen_at, await pictures.posts_of(connection, generation_id))
    return next((each for each in found if each is not None), None)


def _seen_at(post: Post | None) -> tuple[int, int] | None:
    place = None if post is None else public_place(post)
    return (place.id, post.message_id) if post is not None and place is not None and post.message_id else None

"""A member's own page: what they prefer, questions to them that are open, what they have claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.errors import NotFound
from bot.likeness.service import ClaimView
from bot.questions.rules import NOT_YOURS
from bot.questions.service import Inbox
from bot.records.event import DepictionStatus
from bot.records.post import PostKind
from bot.records.question import Preferences, Question, RequestStatus
from bot.services import Services
from cogs.events.member.depictions import depiction_card
from cogs.likeness.cards import claim_line
from cogs.loras.handover import offer_card
from cogs.pictures.takedowns import WHY, takedown_button
from cogs.requests.cards import request_card
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SHEET_FILE, Layout, SafeLayout
from cogs.ui.news_role import LEAVE_ME, TELL_ME
from cogs.ui.replies import File
from cogs.ui.words import clip, count

LISTED = 8
"""Questions on one page; each takes three of the 40 components (Discord /docs/components/reference)."""
CLAIMS_SHOWN = 1500
"""Characters; all texts of a message together may have 4,000 (Discord /docs/components/reference)."""
WORDS = {
    PostKind.DEPICTION: "says that you can be seen in photos of theirs",
    PostKind.PHOTO_REQUEST: "would like to use photos of yours",
    PostKind.LORA_OFFER: "would like to hand a LoRA over to you",
}
PRIVATE = "Your pictures come to you **privately first**; **Show it in the channel** below them posts them there."
PUBLIC = "Your pictures are posted in the channel where you order them."
EVENTS = (
    "In events, whatever you choose here, pictures that may stand in a vote come to you alone until it is counted, and "
    "those of a bake-off to nobody; all others come in the event's channel."
)
QUIET = "Results **do not ping** you, and events do not mention you or remind you to vote."
LOUD = "Results ping you."
WITH_NEWS = (
    "You have {role}: I mention it when an event opens, before its parts end, and when its vote or a run-off opens."
)
NO_NEWS = "You are not pinged about events here: you do not have {role}."
MUTED = "You get **no private questions** from me. What members ask you waits here."
NOT_MUTED = "What members ask you is sent to you privately, one question a day from each of them at most."


@dataclass(frozen=True, slots=True)
class News:
    """The role for event news, and whether this member has it."""

    role_id: int
    has_role: bool


def me_card(
    inbox: Inbox,
    questions: Sequence[Question],
    claims: Sequence[ClaimView],
    posted: Sequence[int],
    prefers: Preferences,
    news: News | None = None,
) -> Layout:
    """`questions`: those of the inbox that can still be answered; `claims`: the LoRAs they say to be in; `posted`:
    their orders of pictures that are shown although their LoRA is gone; `news`: None where no role for it is chosen."""
    layout = SafeLayout(discord.Colour.blurple())
    more = len(questions) - LISTED
    rest = f" {count(more, 'more question')} come up once these are answered." if more > 0 else ""
    asked = (
        f"**{count(len(questions), 'open question')}**.{rest}"
        if questions
        else "Nobody is waiting for an answer from you."
    )
    pictures = PRIVATE if prefers.is_private else PUBLIC
    said = [
        f"**Pictures:** {pictures} {EVENTS}",
        f"**Pings:** {QUIET if prefers.is_quiet else LOUD}",
        f"**Questions:** {MUTED if inbox.is_muted else NOT_MUTED} {asked}",
    ]
    if news is not None:
        words = (WITH_NEWS if news.has_role else NO_NEWS).format(role=f"<@&{news.role_id}>")
        said.append(f"**Event news:** {words}")
    layout.add_text("\n".join(["### You", *said]))
    for question in questions[:LISTED]:
        layout.add_text(f"<@{question.from_id}> {WORDS[question.kind]}.")
        answer = ActionButton("me", "show", question.id, label="Show and answer", style=discord.ButtonStyle.primary)
        layout.add_row(answer)
    if claims:
        layout.add_text(clip([claim_line(claim) for claim in claims], CLAIMS_SHOWN, "…and {} more."))
    if posted:
        layout.add_text(f"{WHY} What I posted for you with it is still there.")
        layout.add_row(takedown_button(posted[0]))
    layout.add_line()
    switches = [
        ("public", "Pictures in the channel") if prefers.is_private else ("private", "Pictures privately first"),
        ("loud", "Ping me again") if prefers.is_quiet else ("quiet", "No pings"),
        ("unmute", "Ask me privately again") if inbox.is_muted else ("mute", "No private questions"),
        *([("news", LEAVE_ME if news.has_role else TELL_ME)] if news is not None else []),
    ]
    layout.add_row(*(ActionButton("me", action, 0, label=label) for action, label in switches))
    return layout


async def answerable(services: Services, questions: Sequence[Question]) -> list[Question]:
    """Those whose time is not over and whose subject is still here."""
    return [question for question in questions if await _is_open(services, question)]


async def _is_open(services: Services, question: Question) -> bool:
    match question.kind:
        case PostKind.DEPICTION:
            asked = await services.depictions.depiction(question.subject_id)
            return asked is not None and asked.depiction.status is DepictionStatus.PENDING
        case PostKind.PHOTO_REQUEST:
            request = await services.requests.view(question.subject_id)
            return request is not None and request.request.status is RequestStatus.ASKED
        case _:
            offer = await services.sharing.view(question.subject_id)
            return offer is not None and offer.is_open


async def question_card(services: Services, question: Question, guild_name: str) -> tuple[SafeLayout, list[File]]:
    """(card, files): the question as it is sent privately; NotFound when what it is about is gone."""
    if not await _is_open(services, question):
        raise NotFound(NOT_YOURS)
    match question.kind:
        case PostKind.DEPICTION:
            asked = await services.depictions.depiction(question.subject_id)
            if asked is not None:
                sheet = await services.datasets.sheet(asked.photos)
                return depiction_card(asked, guild_name), [] if sheet is None else [(SHEET_FILE, sheet)]
        case PostKind.PHOTO_REQUEST:
            request = await services.requests.view(question.subject_id)
            if request is not None:
                return request_card(request, guild_name), []
        case _:
            offer = await services.sharing.view(question.subject_id)
            if offer is not None:
                return offer_card(offer), []
    raise NotFound(NOT_YOURS)

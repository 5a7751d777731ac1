"""The pages of /jobs: a member's own, with pictures and buttons, and everybody's, for admins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.jobs.history import JobEntry, JobPage
from bot.pictures.service import PictureSet
from bot.records.generation import Generation, GenerationStatus
from bot.records.post import Post
from bot.records.training import Training
from bot.text import cite, quote
from bot.training.service import TrainingView
from cogs.pictures.cards import title
from cogs.training.cards import progress_lines, status_line, timeline_line
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import BUTTONS_A_ROW, Layout, SafeLayout
from cogs.ui.thumbnails import beside
from cogs.ui.words import ago, count, member, message_link, shorten

PAGE = 4
"""Jobs on one page: 6 components each, of the 40 that a message takes (Discord /docs/components/reference)."""
SERVER_PAGE = 10
"""Lines on one page of everybody's jobs."""
PROMPT_SHOWN = 100
TIMELINE_SHOWN = 500
"""Characters, so that the longest four jobs stay below the 4,000 of a message."""
REASON_SHOWN = 250
STATE_SHOWN = 120
NONE_YET = "### Your jobs\nNothing yet. `/train` and `/imagine` start something."
NONE_HERE = "### Jobs of this server\nNothing yet."
GENERATION_WORDS = {
    GenerationStatus.QUEUED: "⏳ Waiting.",
    GenerationStatus.SUBMITTING: "⏳ Being made.",
    GenerationStatus.SUBMITTED: "⏳ Being made.",
    GenerationStatus.FETCHING: "⏳ Made, and on the way here.",
    GenerationStatus.READY: "✅ Ready.",
    GenerationStatus.FAILED: "❌ Not made.",
}

View = TrainingView | PictureSet


@dataclass(frozen=True, slots=True)
class Job:
    """One job with everything that a page shows of it."""

    entry: JobEntry
    view: View

    @property
    def row(self) -> Training | Generation:
        return self.view.training if isinstance(self.view, TrainingView) else self.view.generation

    @property
    def link(self) -> str | None:
        message = self.entry.message
        return None if message is None else message_link(self.row.guild_id, *message)


def jobs_card(
    page: JobPage, jobs: Sequence[Job], files: Mapping[int, str], kept: Sequence[Post], *, ids: bool
) -> Layout:
    """`files`: attached thumbnails by the job's place in `jobs`. `ids`: whether numbers of rows are told."""
    layout = SafeLayout(discord.Colour.blurple())
    layout.add_text("\n".join([*_kept_lines(kept), _head("Your jobs", page) if jobs else NONE_YET]))
    layout.add_rows([_fetch_button(post, place, len(kept)) for place, post in enumerate(kept[:BUTTONS_A_ROW], start=1)])
    for place, job in enumerate(jobs):
        url = f"attachment://{files[place]}" if place in files else None
        layout.box.add_item(beside("\n".join(_lines(job, ids=ids)), url, "AI-generated picture of this job"))
        layout.add_rows(_buttons(job))
    layout.add_rows(_page_buttons("page", page))
    return layout


def server_card(page: JobPage, jobs: Sequence[Job]) -> Layout:
    layout = SafeLayout(discord.Colour.blurple())
    lines = [_head("Jobs of this server", page), *map(_server_line, jobs)] if jobs else [NONE_HERE]
    layout.add_text("\n".join(lines))
    layout.add_rows([button for job in jobs for button in _cancel_buttons(job, f" {_kind(job)} #{job.row.id}")])
    layout.add_rows(_page_buttons("serverpage", page))
    return layout


def _head(words: str, page: JobPage) -> str:
    return f"### {words}" + (f"\n-# Page {page.number + 1} of {page.last + 1}" if page.last else "")


def _kept_lines(kept: Sequence[Post]) -> list[str]:
    if not kept:
        return []
    return [f"{count(len(kept), 'result')} could not be posted and {'is' if len(kept) == 1 else 'are'} kept for you."]


def _fetch_button(post: Post, place: int, of: int) -> ActionButton:
    label = "Fetch it" if of == 1 else f"Fetch result {place}"
    return ActionButton("job", "fetch", post.id, label=label, style=discord.ButtonStyle.primary)


def _page_buttons(action: str, page: JobPage) -> list[ActionButton]:
    return [
        *([ActionButton("job", action, page.number - 1, label="Newer")] if page.number > 0 else []),
        *([ActionButton("job", action, page.number + 1, label="Older")] if page.number < page.last else []),
    ]


def _lines(job: Job, *, ids: bool) -> list[str]:
    view, link = job.view, job.link
    words = [f"#{job.row.id}" if ids else "", ago(job.row.created_at), f"[Go to the message]({link})" if link else ""]
    if isinstance(view, TrainingView):
        lines = [f"**Training** {quote(view.training.name, 40)}", *progress_lines(view), *_reason(view.training)]
    else:
        prompt = view.view.prompt
        lines = [_pictures_head(view), *([cite(prompt, PROMPT_SHOWN)] if prompt else []), _pictures_state(view)]
    lines.append(f"-# {' · '.join(filter(None, words))}")
    if ids and not (isinstance(view, PictureSet) and view.is_withheld):
        entries = view.timeline if isinstance(view, TrainingView) else view.view.timeline
        lines.append(shorten(timeline_line(entries), TIMELINE_SHOWN))
    return lines


def _pictures_head(view: PictureSet) -> str:
    made = count(view.generation.settings.count, "picture")
    return f"**{made[0].upper()}{made[1:]}** · {title(view)}{_origin(view)}"


def _origin(view: PictureSet) -> str:
    if view.generation.sample_of is not None:
        return " · a first picture, made by itself"
    return " · made from another" if view.made_from else ""


def _reason(job: Training | Generation) -> list[str]:
    return [shorten(job.error, REASON_SHOWN)] if job.error else []


def _pictures_state(view: PictureSet) -> str:
    """Its host does not read what was deleted of a bake-off: that would tell what a number in its ballot stands for."""
    generation = view.generation
    if generation.deleted_at is not None and not view.is_withheld:
        return "🗑️ Deleted."
    if view.view.place is not None:
        return f"⏳ Waiting: place **{view.view.place}** in the queue."
    if generation.status is GenerationStatus.SUBMITTED and generation.percent is not None:
        return f"⏳ In the making: **{generation.percent} %**"
    return " ".join([GENERATION_WORDS[generation.status], *_reason(generation)])


def _buttons(job: Job) -> list[ActionButton]:
    """What can be done with it: it is used, shown again, or cancelled."""
    view, cancel = job.view, _cancel_buttons(job)
    if cancel:
        return cancel
    if isinstance(view, TrainingView):
        return _lora_buttons(view)
    if view.generation.deleted_at is None and any(view.view.files) and not view.is_withheld:
        return [ActionButton("job", "show", view.generation.id, label="Show")]
    return []


def _lora_buttons(view: TrainingView) -> list[ActionButton]:
    """Only what its member may do with it now: it can have been handed over, rest, or be gone."""
    lora = view.lora
    if lora is None or lora.archived_at is not None or lora.owner_id != view.training.user_id:
        return []
    use = ActionButton("order", "imagine", lora.id, label="Use", style=discord.ButtonStyle.success)
    return [*([use] if lora.is_usable else []), ActionButton("lora", "show", lora.id, label="Show")]


def _cancel_buttons(job: Job, which: str = "") -> list[ActionButton]:
    """None unless it waits."""
    if isinstance(job.view, TrainingView):
        area, can_cancel = "training", job.view.can_cancel
    else:
        area, can_cancel = "order", job.view.generation.status is GenerationStatus.QUEUED
    return [ActionButton(area, "cancel", job.row.id, label=f"Cancel{which}")] if can_cancel else []


def _kind(job: Job) -> str:
    return "training" if isinstance(job.view, TrainingView) else "pictures"


def _server_line(job: Job) -> str:
    """Who, what, cost, state. Nothing of a prompt: it may be of a channel that not everybody sees.

    Of pictures that may stand in a vote nothing by which an admin could tell there whose they are; their number only
    as long as they can be cancelled.
    """
    view, entry, number = job.view, job.entry, f"#{job.row.id}"
    if isinstance(view, TrainingView):
        what = f"training {quote(view.training.name, 30)}"
        state = " ".join([status_line(view), *_reason(view.training)])
    elif view.secret_name is not None:
        number, what = number if _cancel_buttons(job) else "", view.secret_name
        state = " ".join([GENERATION_WORDS[view.generation.status], *_reason(view.generation)])
    else:
        what = f"{count(view.generation.settings.count, 'picture')} · {title(view)}{_origin(view)}"
        state = _pictures_state(view)
    cost = "cost not known" if entry.cost is None else count(entry.cost, "credit")
    parts = [number, member(job.row.user_id), what, cost, shorten(state, STATE_SHOWN), ago(job.row.created_at)]
    return f"• {' · '.join(filter(None, parts))}" + (f" · [message]({job.link})" if job.link else "")

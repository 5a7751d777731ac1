"""Cards of pictures keep Discord's limits and stay inert, whatever was typed."""

from collections.abc import Iterator
from dataclasses import replace

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.generation.service import GenerationView
from bot.jobs.history import JobEntry, JobPage
from bot.pictures.reports import ReportView
from bot.pictures.service import MADE_FROM, PictureSet, Removal
from bot.records.doubt import Doubt
from bot.records.generation import Generation, GenerationSettings, GenerationStatus, Operation, Picture, Report
from bot.records.job import JobRef, SubjectTable, TimelineEntry
from bot.records.key import ProviderName
from bot.text import quote
from cogs.generation.forms import PromptModal
from cogs.jobs.cards import Job, jobs_card, server_card
from cogs.pictures.cards import alt_text, gallery_card, late_card, pictures_card, pictures_failed_card
from cogs.pictures.forms import removal_sentence
from cogs.pictures.panel import edits_card, gallery_choice_card, originals_card, settings_card
from cogs.pictures.reports import report_card
from cogs.training.cards import timeline_line
from tests.cogs.card_checks import ALT_MAX, check, parts_of
from tests.cogs.events.shown_events import a_lora
from tests.cogs.markdown import alive, live_text
from tests.cogs.simulated_guild import BUTTON
from tests.fakes.clock import NOON
from tests.fakes.examples import in_proportion
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD

typed = st.text(min_size=1, max_size=4000)
pictures = st.integers(min_value=1, max_value=4)
any_settings = st.builds(
    GenerationSettings,
    count=pictures,
    aspect=st.sampled_from([None, "16:9"]),
    seed=st.integers(min_value=0, max_value=2**31),
    negative=st.none() | typed,
    width=st.sampled_from([None, 4096]),
    height=st.just(4096),
    denoise=st.none() | st.floats(min_value=0, max_value=1),
    enhance=st.none() | st.booleans(),
)


def made_set(prompt: str, settings: GenerationSettings, operation: Operation = Operation.IMAGINE) -> PictureSet:
    generation = Generation(
        id=12,
        guild_id=GUILD,
        channel_id=CHANNEL,
        parent_id=None,
        user_id=ANNA,
        lora_id=None,
        style_id=None,
        operation=operation,
        origin_id=9,
        key_id=1,
        provider=ProviderName.APIFRAME,
        prompt=prompt,
        settings=settings,
        idempotency_key="key",
        webhook_token="token",
        status=GenerationStatus.READY,
        attempt=0,
        due_at=None,
        lease_owner=None,
        request_id="job-1",
        image_urls=(),
        late=(),
        estimate=None,
        cost=4,
        error="the provider said no",
        doubt=None,
        created_at=NOON,
        submitting_at=NOON,
        submitted_at=NOON,
        finished_at=NOON,
        deleted_at=None,
        event_id=None,
        pack_index=None,
        percent=None,
        sample_of=None,
    )
    made = tuple(
        Picture(number, 12, number, f"https://example.test/{number}.png", f"{number:032x}", "image/png", 100, 0)
        for number in range(1, settings.count + 1)
    )
    view = GenerationView(
        generation,
        None,
        None,
        made,
        None,
        (None,) * settings.count,
        (TimelineEntry(NOON, MADE_FROM, "picture 4 of #9"),),
        None,
    )
    origin = replace(generation, id=9, origin_id=3)
    return PictureSet(view, (origin, replace(generation, id=3, origin_id=None)))


def cards_of(found: PictureSet) -> Iterator[discord.ui.LayoutView]:
    named = {number: f"darkroom-12-{number}.png" for number in range(1, found.generation.settings.count + 1)}
    names = list(named.values())
    prices = dict.fromkeys(Operation, 999)
    yield pictures_card(found, "-# line", named, [])
    yield pictures_card(found, "-# line", {}, found.view.pictures, "A note.", is_private=True)
    yield late_card(found, "-# line", named, found.view.pictures, "A note.")
    yield pictures_failed_card(found, "-# line")
    yield gallery_card(found, found.view.pictures[0], names[:1])
    yield gallery_choice_card(found)
    yield edits_card(found, "Upscale", prices)
    yield edits_card(found, "Remove background", dict.fromkeys(prices))
    for has_links in (True, False):
        yield originals_card(found, names, found.view.pictures, has_links=has_links)
    yield settings_card(found)[0]


@settings(max_examples=in_proportion(60))
@given(typed, any_settings, st.sampled_from(Operation))
async def test_every_card_keeps_discords_limits_and_nothing_typed_comes_alive(
    prompt: str, settings: GenerationSettings, operation: Operation
) -> None:
    found = made_set(
        f"@everyone ` {prompt}"[:4000],
        replace(settings, negative=settings.negative and f"`@here {settings.negative}"),
        operation,
    )
    for card in cards_of(found):
        text = check(card)
        assert "`" not in live_text(text)
        assert alive(text) == []
    assert all(len(alt_text(found, number)) <= ALT_MAX for number in (1, settings.count))


def test_a_card_says_which_pictures_are_still_awaited_and_which_are_missing() -> None:
    found = made_set("a fox", GenerationSettings(count=2))
    doubted = replace(found.generation, doubt=Doubt(NOON, 1), image_urls=("1", "2", "3", "4"), late=(3, 4))
    awaited = replace(found, view=replace(found.view, generation=doubted))
    assert "Pictures 3, 4 of 4 are not there yet" in check(pictures_card(awaited, "-# line", {1: "a.png"}, []))
    assert "the provider said no" not in check(pictures_card(awaited, "-# line", {1: "a.png"}, []))
    assert "the provider said no" in check(late_card(found, "-# line", {}, []))


@given(typed)
async def test_a_long_prompt_is_always_complete_in_the_settings(prompt: str) -> None:
    card, files = settings_card(made_set(prompt, GenerationSettings()))
    shown = check(card)
    assert prompt.replace("`", "ˋ") in shown or files == [("prompt-12.txt", prompt.encode())]


@given(st.text(min_size=1, max_size=500), st.booleans())
async def test_a_report_keeps_the_limits_and_offers_its_buttons_only_where_they_work(
    reason: str, is_private: bool
) -> None:
    generation = made_set("a fox", GenerationSettings()).generation
    view = ReportView(Report(1, GUILD, 12, BEN, f"`@everyone {reason}"[:500], NOON, None), generation, (CHANNEL, 77))
    card = report_card(view, is_private=is_private)
    text = check(card)
    assert alive(text) == []
    assert f"/channels/{GUILD}/{CHANNEL}/77" in text
    labels = [part["label"] for part in parts_of(card) if part["type"] == BUTTON]
    assert labels == ([] if is_private else ["Delete pictures", "Dismiss"])


@pytest.mark.parametrize("is_private", [True, False])
async def test_the_report_of_an_entry_names_neither_the_order_nor_who_sent_it(is_private: bool) -> None:
    """Mutant: with the heading of other reports a moderator finds the number of the order in a list with names."""
    generation = made_set("a fox", GenerationSettings()).generation
    view = ReportView(Report(1, GUILD, 12, BEN, "not nice", NOON, None), generation, None, "entry number 3 of a vote")
    text = check(report_card(view, is_private=is_private))
    assert text.startswith("### Report about entry number 3 of a vote\n")
    assert "#12" not in text
    assert f"<@{generation.user_id}>" not in text


def in_a_list(found: PictureSet) -> str:
    """A server's list of jobs with this set alone."""
    entry = JobEntry(JobRef(SubjectTable.GENERATION, 12), None, 4)
    return check(server_card(JobPage((entry,), 0, 0), [Job(entry, found)]))


async def test_the_servers_jobs_tell_nothing_by_which_an_admin_finds_whose_entry_it_is() -> None:
    """Mutant: with the line of other pictures the only one who drew in a style, or was deleted, is known."""
    found = made_set("a fox", GenerationSettings())
    gone = replace(found.generation, status=GenerationStatus.READY, deleted_at=NOON, error=None)
    found = replace(found, view=replace(found.view, generation=gone, lora=a_lora(1)))
    assert "• #12 · " in in_a_list(found)
    assert "**Foxy**" in in_a_list(found)
    assert "Deleted" in in_a_list(found)
    secret = in_a_list(replace(found, secret_name="pictures of an event"))
    assert f"• <@{gone.user_id}> · pictures of an event · 4 credits · ✅ Ready." in secret


async def test_the_host_of_a_bake_off_does_not_read_which_candidate_was_deleted_or_reported() -> None:
    """Mutant: with the timeline, "report dismissed" there tells which candidate the entry was."""
    found = made_set("a fox", GenerationSettings())
    gone = replace(found.generation, status=GenerationStatus.READY, deleted_at=NOON, error=None)
    told = replace(found.view, generation=gone, timeline=(TimelineEntry(NOON, "report dismissed", ""),))
    found = replace(found, view=told)
    entry = JobEntry(JobRef(SubjectTable.GENERATION, 12), None, 4)

    def own(found: PictureSet) -> str:
        return check(jobs_card(JobPage((entry,), 0, 0), [Job(entry, found)], {}, [], ids=True))

    assert "report dismissed" in own(found)
    secret = own(replace(found, is_withheld=True))
    assert "report dismissed" not in secret
    assert "✅ Ready." in secret


async def test_the_lineage_is_told_back_to_its_beginning() -> None:
    card, _ = settings_card(made_set("a fox", GenerationSettings()))
    assert "**Made from** picture 4 of #9 ← #3" in check(card)


async def test_the_form_takes_no_longer_prompt_than_the_lora_does() -> None:
    for lora, longest in ((a_lora(1), 1950), (replace(a_lora(1), provider=ProviderName.AUROUS), 4000), (None, 4000)):
        form = PromptModal(lora=lora, prompt="x" * 4000)
        assert isinstance(form.prompt, discord.ui.TextInput)
        assert (form.prompt.max_length, len(form.prompt.default or "")) == (longest, longest)


def test_the_course_of_a_job_shows_no_signs_of_markdown_in_its_details() -> None:
    """Mutant: with the sentence as it is, admins read stars and backslashes."""
    why = f"Apiframe no longer has the LoRA {quote('Rex_2')}."
    entries = [TimelineEntry(NOON, "submitted", "Apiframe id 0c4_7a"), TimelineEntry(NOON, "failed", why)]
    line = timeline_line(entries)
    assert "(`Apiframe id 0c4_7a`)" in line
    assert "(`Apiframe no longer has the LoRA Rex_2.`)" in line


def test_whoever_deletes_pictures_is_told_of_every_message_that_did_not_go() -> None:
    """Mutant: of what its LoRA alone has kept, nobody is told that the message stays."""
    nothing_else = removal_sentence([Removal.REMOVED])
    said = {outcome: removal_sentence([outcome]) for outcome in Removal if outcome is not Removal.REMOVED}
    assert all(sentence.startswith(f"{nothing_else} ") for sentence in said.values())
    assert "I do not know their messages any more" in said[Removal.UNKNOWN]
    assert len(set(said.values())) == len(said)

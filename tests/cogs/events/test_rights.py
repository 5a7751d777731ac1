"""Who may do what in an event: every service method for every kind of person, and what nobody is ever told."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from simcord.components import walk_components

from bot.errors import NotFound, UserError
from bot.events.yearbook.service import LEAST_LIMIT
from bot.generation.order import PictureOrder
from bot.records.dataset import Pick
from bot.records.event import DepictionStatus, EventStatus
from bot.records.guild import Actor, Channel
from bot.storage.events.tables import depictions, events
from tests.cogs.events.event_actions import give, question_to
from tests.cogs.events.event_with_roles import DEPICTED, ENTRANT, ROLES, EventWithRoles, Hands, make_event_with_roles
from tests.cogs.hostile_texts import MARK, SAMPLES
from tests.cogs.markdown import alive, live_text
from tests.cogs.simulated_guild import Stage, photos
from tests.fakes.attachments import open_attachments
from tests.fakes.rows import CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio

S = EventStatus
RUNNERS = frozenset({"moderator", "host", "admin", "event host"})
HERE = RUNNERS | {"member", "entrant", "depicted"}
ENTRANTS = frozenset({"entrant"})


Call = Callable[[EventWithRoles, Actor], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """`allowed`: everybody else is refused, and nothing at all has changed then."""

    status: EventStatus
    allowed: frozenset[str]
    call: Call


CASES: dict[str, Case] = {
    "events.get_for": Case(S.COLLECTING, HERE, lambda s, who: s.studio.events.get_for(s.id, who)),
    "events.get_for of a draft": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.get_for(s.id, who)),
    "events.pick": Case(S.COLLECTING, HERE, lambda s, who: s.studio.events.pick(str(s.id), who)),
    "events.pick of a draft": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.pick(s.event.name, who)),
    "events.pick to run": Case(
        S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.pick(str(s.id), who, runnable=True)
    ),
    "events.change": Case(S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.change(s.id, who, budget=900)),
    "events.change of a draft": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.change(s.id, who, name="Mine")),
    "events.readiness": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.readiness(s.id, who)),
    "events.open": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.open(s.id, who)),
    "events.close": Case(S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.close(s.id, who)),
    "events.closable": Case(S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.closable(s.id, who)),
    "events.extend": Case(S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.extend(s.id, 2, who)),
    "events.cancel": Case(S.VOTING, RUNNERS, lambda s, who: s.studio.events.cancel(s.id, who)),
    "events.cancel of a draft": Case(S.DRAFT, RUNNERS, lambda s, who: s.studio.events.cancel(s.id, who)),
    "events.remove_entrant": Case(
        S.COLLECTING, RUNNERS, lambda s, who: s.studio.events.remove_entrant(s.id, ENTRANT, who)
    ),
    "contributions.join": Case(S.COLLECTING, HERE, lambda s, who: s.studio.contributions.join(s.id, who)),
    "contributions.join a draft": Case(
        S.DRAFT, frozenset(), lambda s, who: s.studio.contributions.join(s.id, replace(who, guild_id=OTHER_GUILD))
    ),
    "contributions.give": Case(S.COLLECTING, HERE, lambda s, who: s.studio.contributions.give(s.id, [s.upload], who)),
    "contributions.mine": Case(S.COLLECTING, HERE, lambda s, who: s.studio.contributions.mine(s.id, who)),
    "contributions.remove": Case(
        S.COLLECTING, HERE, lambda s, who: s.studio.contributions.remove(s.id, [s.photo_id], who)
    ),
    "contributions.sheet": Case(S.COLLECTING, HERE, lambda s, who: s.studio.contributions.sheet(s.id, who)),
    "depictions.withdraw": Case(S.COLLECTING, ENTRANTS, lambda s, who: s.studio.depictions.withdraw(s.id, who)),
    "depictions.seen_in": Case(S.COLLECTING, HERE, lambda s, who: s.studio.depictions.seen_in(s.id, who)),
    "depictions.answer yes": Case(
        S.COLLECTING,
        frozenset({"depicted"}),
        lambda s, who: s.studio.depictions.answer(s.depiction_id, True, who.user_id, who.guild_id),
    ),
    "depictions.answer no": Case(
        S.SHOWING,
        frozenset({"depicted"}),
        lambda s, who: s.studio.depictions.answer(s.depiction_id, False, who.user_id, who.guild_id),
    ),
    "reviews.board": Case(S.COLLECTING, RUNNERS, lambda s, who: s.studio.reviews.board(s.id, who)),
    "reviews.sheet": Case(S.REVIEWING, RUNNERS, lambda s, who: s.studio.reviews.sheet(s.id, who)),
    "reviews.pick pin": Case(
        S.REVIEWING, RUNNERS, lambda s, who: s.studio.reviews.pick(s.id, s.photo_id, Pick.PINNED, who)
    ),
    "reviews.pick drop": Case(
        S.REVIEWING, RUNNERS, lambda s, who: s.studio.reviews.pick(s.id, s.photo_id, Pick.DROPPED, who)
    ),
    "reviews.pick unpick": Case(
        S.COLLECTING, RUNNERS, lambda s, who: s.studio.reviews.pick(s.id, s.photo_id, None, who)
    ),
    "ballots.nominees": Case(S.SHOWING, ENTRANTS, lambda s, who: s.studio.ballots.nominees(s.id, who)),
    "ballots.enter": Case(S.SHOWING, ENTRANTS, lambda s, who: s.studio.ballots.enter(s.id, s.picture_id, who)),
    "ballots.entries": Case(S.VOTING, HERE, lambda s, who: s.studio.ballots.entries(s.id, who)),
    "ballots.lora_behind": Case(S.VOTING, HERE, lambda s, who: s.studio.ballots.lora_behind(s.id, s.entry_id, who)),
    "ballots.vote": Case(S.VOTING, HERE - ENTRANTS, lambda s, who: s.studio.ballots.vote(s.id, s.entry_id, who)),
    "ballots.my_vote": Case(S.VOTING, HERE, lambda s, who: s.studio.ballots.my_vote(s.id, who)),
    "budgets.order": Case(
        S.SHOWING,
        ENTRANTS,
        lambda s, who: s.studio.budgets.order(s.event, PictureOrder("x", lora_id=s.lora_id), who, Channel(CHANNEL)),
    ),
    "yearbooks.post": Case(S.FINISHED, RUNNERS, lambda s, who: s.studio.yearbooks.post(s.id, who)),
    "galleries.view": Case(S.FINISHED, HERE, lambda s, who: s.studio.galleries.view(s.id, who, "Somebody")),
    "galleries.open": Case(S.FINISHED, RUNNERS, lambda s, who: s.studio.galleries.open(s.id, who)),
    "galleries.close": Case(S.FINISHED, RUNNERS, lambda s, who: s.studio.galleries.close(s.id, who)),
    "yearbooks.make": Case(S.FINISHED, HERE, lambda s, who: s.studio.yearbooks.make(s.id, who, {}, LEAST_LIMIT)),
}
ELSEWHERE = {
    "events.create": "the caller decides who may; it lands in the actor's own guild",
    "events.copy": "the caller decides who may; it lands in the actor's own guild",
    "events.choices": "has a test of its own",
    "events.latest": "has a test of its own",
    "events.view": "callers check who may see it",
    "events.announcement": "for the outbox",
    "depictions.depiction": "for the outbox, and after an answer",
    "depictions.take_back_all": "a member's own erasure",
    "reviews.settle_shared": "for the engine",
    "reviews.settle_personal": "for the engine",
    "depictions.retire_taken_back": "for the engine",
    "ballots.generation_behind": "as lora_behind, which asks it",
    "ballots.can_enter": "for the outbox: what its maker is offered below their picture",
    "ballots.open_ballot": "for the engine",
    "ballots.shown": "for the outbox: what everybody sees",
    "ballots.count": "for the engine",
    "ballots.hall_of_fame": "of a guild; has a test of its own",
    "ballots.win_counts": "of a guild; has a test of its own",
    "yearbooks.make_for_all": "for the outbox, and after yearbooks.make has looked",
    "galleries.agree": "a member's own; has tests of its own",
    "galleries.take_back": "a member's own; has tests of its own",
    "galleries.page": "for whoever has the address",
    "galleries.picture": "for whoever has the address",
    "results.season": "of a guild; has a test of its own",
    "results.vote_counts": "callers check who may see it",
    "winners.adopt": "for the LoRA's owner and admins; has tests of its own",
    "budgets.preview": "callers check who may see it",
    "budgets.obstacle": "for the engine",
    "budgets.orders_left": "of the member who has just ordered",
    "budgets.start_training": "for the engine",
    "budgets.policy": "the rules by which an order of the event is judged when it is stored",
}


@pytest.mark.parametrize("name", CASES)
async def test_everybody_does_what_they_may_and_nothing_else(studio: Studio, name: str) -> None:
    """Mutant: `finding.is_visible` without its look at the guild lets a host reach their event from another server."""
    case = CASES[name]
    studio.public_url = "https://bot.example.org"
    await studio.set_key()
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1, first=500)
        scene = await make_event_with_roles(studio, case.status, upload)
        before = await studio.everything()
        for role in sorted(ROLES.keys() - case.allowed):
            with pytest.raises(UserError) as refused:
                await case.call(scene, ROLES[role])
            assert str(refused.value).endswith("."), role
            if ROLES[role].guild_id != GUILD:
                assert isinstance(refused.value, NotFound), (role, refused.value)
                assert scene.event.name not in str(refused.value)
            assert await studio.everything() == before, role
        for role in sorted(case.allowed):
            await case.call(await make_event_with_roles(studio, case.status, upload), ROLES[role])


def test_every_method_of_the_services_of_events_is_looked_at(studio: Studio) -> None:
    services = {
        "events": studio.events,
        "contributions": studio.contributions,
        "depictions": studio.depictions,
        "reviews": studio.reviews,
        "ballots": studio.ballots,
        "budgets": studio.budgets,
        "yearbooks": studio.yearbooks,
        "galleries": studio.galleries,
        "results": studio.results,
        "winners": studio.winners,
    }
    methods = {
        f"{name}.{method}"
        for name, service in services.items()
        for method, function in inspect.getmembers(type(service), inspect.iscoroutinefunction)
        if not method.startswith("_")
    }
    assert methods == {name.split()[0] for name in CASES} | ELSEWHERE.keys()


async def test_what_is_somebody_elses_stays_when_others_ask_for_it(studio: Studio) -> None:
    """Methods that everybody here may use act on what is the asker's own alone."""
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        scene = await make_event_with_roles(studio, CASES["contributions.remove"].status, upload)
        for role in sorted(HERE - ENTRANTS):
            own = await studio.contributions.remove(scene.id, [scene.photo_id], ROLES[role])
            assert (own.photos, own.depicted) == ((), ())
            assert await studio.contributions.sheet(scene.id, ROLES[role]) is None
            assert len(await studio.depictions.seen_in(scene.id, ROLES[role])) == (role == "depicted")
        assert [each.id for each in (await studio.contributions.mine(scene.id, ROLES["entrant"])).photos] == [
            scene.photo_id
        ]


async def test_drafts_are_offered_to_those_who_run_them_and_events_to_their_guild(studio: Studio) -> None:
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        draft = await make_event_with_roles(studio, CASES["events.open"].status, upload)
        opened = await make_event_with_roles(studio, CASES["events.close"].status, upload)
        cancelled = await make_event_with_roles(studio, CASES["events.cancel of a draft"].status, upload)
        await studio.events.cancel(cancelled.id, ROLES["host"])
    for role, actor in ROLES.items():
        offered = {event.id for event in await studio.events.choices("", actor)}
        to_run = {event.id for event in await studio.events.choices("", actor, runnable=True)}
        expected = {opened.id} if role in HERE else set[int]()
        assert offered == expected | ({draft.id, cancelled.id} if role in RUNNERS else set())
        assert to_run == ({draft.id, opened.id} if role in RUNNERS else set())


async def test_a_draft_that_was_thrown_away_stays_unknown_to_members(studio: Studio) -> None:
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        gone = await make_event_with_roles(studio, CASES["events.cancel of a draft"].status, upload)
        await studio.events.cancel(gone.id, ROLES["host"])
    areas = ("events.", "contributions.mine", "contributions.join", "contributions.give", "yearbooks.", "ballots.en")
    asked = [case.call for name, case in CASES.items() if name.startswith(areas)]
    for role in ("member", "stranger", "host elsewhere"):
        for call in asked:
            with pytest.raises(UserError) as refused:
                await call(gone, ROLES[role])
            assert gone.event.name not in str(refused.value)


async def test_the_hall_of_fame_is_of_one_guild(studio: Studio) -> None:
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        scene = await make_event_with_roles(studio, CASES["ballots.vote"].status, upload)
        await studio.ballots.vote(scene.id, scene.entry_id, ROLES["member"])
        assert await studio.ballots.hall_of_fame(GUILD) == []
        await studio.ballots.count(scene.event)
    assert await studio.ballots.hall_of_fame(GUILD) == []
    await studio.change(events, scene.id, status=S.FINISHED)
    assert [honour.user_id for honour in await studio.ballots.hall_of_fame(GUILD)] == [ENTRANT]
    assert len(await studio.ballots.win_counts(GUILD)) == 1
    assert await studio.ballots.hall_of_fame(OTHER_GUILD) == []
    assert await studio.ballots.win_counts(OTHER_GUILD) == []


async def test_nothing_that_others_get_says_who_refused(studio: Studio) -> None:
    """Neither the giver, the host, the admin nor anybody else; the giver had named two members."""
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        scene = await make_event_with_roles(studio, CASES["contributions.mine"].status, upload)
    await studio.depictions.answer(scene.depiction_id, False, DEPICTED, GUILD)
    got: list[Any] = [await studio.events.view(scene.id)]
    for role in sorted(HERE - {"depicted"}):
        actor = ROLES[role]
        got += [
            await studio.events.get_for(scene.id, actor),
            await studio.events.choices("", actor),
            await studio.contributions.mine(scene.id, actor),
            await studio.depictions.seen_in(scene.id, actor),
        ]
        if role in RUNNERS:
            got += [
                await studio.reviews.board(scene.id, actor),
                await studio.events.readiness(scene.id, actor),
            ]
    assert str(DEPICTED) not in repr(got)
    (answered,) = await studio.depictions.seen_in(scene.id, ROLES["depicted"])
    assert answered.status is DepictionStatus.VETOED


async def test_a_refusal_is_kept_from_the_runners_of_the_event_in_its_notes_too(studio: Studio) -> None:
    async with open_attachments() as attachments:
        (upload,) = attachments.add_photos(1)
        scene = await make_event_with_roles(studio, CASES["depictions.answer no"].status, upload)
    await studio.change(depictions, scene.depiction_id, in_training=True)
    await studio.depictions.answer(scene.depiction_id, False, DEPICTED, GUILD)
    dump = await studio.everything()
    kept = {name: [row for row in rows if str(DEPICTED) in str(row)] for name, rows in dump.items()}
    assert {name for name, rows in kept.items() if rows} == {"depictions"}


NAME = f"x` @everyone <@&1> </a:1> [{MARK}](https://evil.example)"


async def plan_hostile(stage: Stage) -> int:
    """An event planned with the worst words in every field of every form; its id."""
    words = " ".join(SAMPLES)[:1000]
    opened = await stage.use(stage.ada, "event create")
    await stage.submit_fields(stage.ada, opened, NAME, words, ["shared"], ["object"], words)
    (event,) = await stage.world.darkroom.services.events.choices("", admin_of(stage))
    form = await stage.press_id(stage.ada, f"dr:host:prompts:{event.id}")
    await stage.submit_fields(stage.ada, form, "\n".join(sample.replace("\n", " ") for sample in SAMPLES[:12]))
    for value in (MARK, "@everyone `"):
        form = await stage.press_id(stage.ada, f"dr:host:hours:{event.id}")
        await stage.submit_fields(stage.ada, form, value, "1", "1", "1")
    assert len((await stage.world.darkroom.services.events.get_for(event.id, admin_of(stage))).pack) == 12
    return event.id


def admin_of(stage: Stage) -> Actor:
    return Actor(stage.world.guild.id, stage.ada.id, is_admin=True)


async def test_hostile_words_stay_harmless_in_every_message_of_an_event(keyed: Stage) -> None:
    event_id = await plan_hostile(keyed)
    event = await keyed.world.darkroom.services.events.open(event_id, admin_of(keyed))
    files = [(f"{sample[:40]}.jpg", content) for sample, (_, content) in zip(SAMPLES[::10], photos(4), strict=True)]
    await give(keyed, keyed.ben, event, files, seen=[keyed.cleo])
    await question_to(keyed.cleo)
    hands = Hands(keyed)
    for member in (keyed.ben, keyed.cleo, keyed.ada):
        for area, action in keyed.presses():
            if area in {"event", "host"} and action != "extend" and not action.startswith("end"):
                await hands.press(member, f"dr:{area}:{action}:{event_id}")
    await keyed.use(keyed.ada, "event cancel", event=str(event_id))
    await keyed.ada.slash(keyed.channel, "event remove", member=keyed.ben, event=NAME)
    said = [body for _, body in keyed.sent_messages()]
    texts = ["\n".join(part["content"] for part in walk_components([body]) if part.get("content")) for body in said]
    assert sum(MARK in text for text in texts) > 20
    for text in texts:
        assert "`" not in live_text(text), text
        assert alive(text) == [], text
    titles = [title for request in keyed.world.env.http_requests if (title := title_of(request.json)) is not None]
    assert len(titles) > 5
    assert max(map(len, titles)) <= 45


def title_of(body: Any) -> str | None:
    """Of a form that was opened."""
    return body.get("data", {}).get("title") if isinstance(body, dict) else None

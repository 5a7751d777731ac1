"""The books of a kill run: what was promised to members against what was charged and posted."""

import contextlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.records.post import PostKind
from bot.sandbox.apiframe.server import RehearsalApiframe
from tests.fakes.posted import card_ids, id_in, kind_in
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.pings import pinged

FIRST_PLACE = re.compile(r"🥇 <@(\d+)>")
SPENT = re.compile(r"💳 (\d+)\b.* spent")
NO_CARD = 0
OPEN_ROWS = {
    "trainings": "status NOT IN ('ready', 'failed', 'cancelled')",
    "generations": "status NOT IN ('ready', 'failed')",
    "posts": "status NOT IN ('posted', 'kept')",
    "events": "status NOT IN ('draft', 'finished', 'cancelled')",
}


@dataclass(slots=True)
class PartyBooks:
    """What the people of an event know of it."""

    name: str
    votes: int = 0
    """How many could read that their vote counts."""


@dataclass(slots=True)
class Promises:
    """What members were told is accepted: training names and prompts by number; events by number."""

    trainings: dict[int, str] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)
    parties: dict[int, PartyBooks] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trainings) + len(self.pictures) + len(self.parties)


@dataclass(slots=True)
class Verdict:
    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    double_submitted: list[str] = field(default_factory=list)
    double_posted: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)
    """Credits and votes of events that differ from what was charged and from what people did."""
    unanswered: list[str] = field(default_factory=list)

    def add(self, other: "Verdict") -> None:
        self.jobs += other.jobs
        for name in ("lost", "double_submitted", "double_posted", "stuck", "miscounted", "unanswered"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def is_clean(self) -> bool:
        kept = not (self.lost or self.double_submitted or self.double_posted)
        return kept and not (self.stuck or self.miscounted or self.unanswered)

    def line(self, kills: int) -> str:
        return (
            f"kills {kills}, jobs {self.jobs}, lost {len(self.lost)}, double-submitted {len(self.double_submitted)}, "
            f"double-posted {len(self.double_posted)}, stuck {len(self.stuck)}, "
            f"miscounted {len(self.miscounted)}, unanswered {len(self.unanswered)}"
        )


def posts_in(messages: Iterable[StoredMessage]) -> Counter[int | None]:
    """How often each post stands in these messages, by the id of its card."""
    return Counter(card for card in (id_in(message.components) for message in messages) if card is not None)


def posted_twice(messages: Sequence[StoredMessage]) -> list[str]:
    twice = {card for card, times in posts_in(messages).items() if times > 1}
    return [message.text for message in messages if id_in(message.components) in twice]


def judge(
    promises: Promises, provider: RehearsalApiframe, messages: Iterable[StoredMessage], database: Path
) -> Verdict:
    """`database` is the bot's SQLite file, read after its last life."""
    messages = list(messages)
    posted, cards = posts_in(messages), card_ids(database)
    creates = Counter(
        provider.loras[entry.ref].name.split(" ·")[0] for entry in provider.ledger if entry.what == "create"
    )
    pictures = Counter(
        str(provider.jobs[entry.ref].order["prompt"]) for entry in provider.ledger if entry.what == "images"
    )
    verdict = Verdict(jobs=len(promises), stuck=open_rows(database))
    for number, name in promises.trainings.items():
        if not posted[cards.get((PostKind.TRAINING_READY, number))] or not creates[name]:
            verdict.lost.append(f"training #{number} {name!r}: {ended_as(database, 'trainings', number)}")
    for number, prompt in promises.pictures.items():
        if not posted[cards.get((PostKind.PICTURES, number))] or not any(key.endswith(prompt) for key in pictures):
            verdict.lost.append(f"pictures #{number} {prompt!r}: {ended_as(database, 'generations', number)}")
    verdict.double_submitted = [name for name, count in (creates + pictures).items() if count > 1]
    verdict.double_posted = posted_twice(messages)
    for number, books in promises.parties.items():
        judge_party(verdict, number, books, provider, messages, database)
    return verdict


def ended_as(database: Path, table: str, number: int) -> str:
    """Status, error and timeline of a job, to tell why it was lost."""
    subject = table.removesuffix("s")
    rows = read(database, f"SELECT status, error FROM {table} WHERE id = {number}")  # noqa: S608
    noted = read(
        database,
        f"SELECT what, detail FROM timeline WHERE subject_table = '{subject}' AND subject_id = {number} ORDER BY id",  # noqa: S608
    )
    return f"{rows}, {noted}"


def judge_party(
    verdict: Verdict,
    number: int,
    books: PartyBooks,
    provider: RehearsalApiframe,
    messages: Sequence[StoredMessage],
    database: Path,
) -> None:
    """Over, with one winner told, with every vote, and with what was charged for it on its panel."""
    cards = card_ids(database)
    ours = cards.get((PostKind.EVENT_PANEL, number), NO_CARD)
    panel = "".join(message.text for message in messages if id_in(message.components) == ours)
    announced = [message for message in messages if kind_in(message.components) is PostKind.EVENT_ANNOUNCEMENT]
    told = [message for message in announced if books.name in message.text]
    won = [message for message in told if "🏆" in message.text]
    opened = sum(" is open\n" in message.text for message in told)
    ballots = posts_in(messages)[cards.get((PostKind.EVENT_BALLOT, number))]
    if "This event is over" not in panel or (len(won), opened, ballots) != (1, 1, 1):
        verdict.lost.append(f"event #{number} {books.name!r}: {len(won)} winners, {opened} openings, {ballots} ballots")
    for message in won:
        first = {f"user:{winner}" for winner in FIRST_PLACE.findall(message.text)}
        if pinged(message) != first:
            verdict.miscounted.append(f"event #{number} was won by {first}, and pings {pinged(message)}")
    spent, charged = SPENT.search(panel), charged_for(books.name, provider)
    if spent is None or int(spent[1]) != charged:
        verdict.miscounted.append(f"event #{number} says {spent and spent[1]} credits, charged were {charged:g}")
    (votes,) = read(database, f"SELECT count(*) FROM votes WHERE event_id = {number}")[0]  # noqa: S608
    if votes != books.votes:
        verdict.miscounted.append(f"event #{number} has {votes} votes of {books.votes}")


def charged_for(name: str, provider: RehearsalApiframe) -> float:
    """The credits, less what was given back, of the LoRA of this name and of pictures that have it in their prompt."""
    ours = {ref for ref, lora in provider.loras.items() if lora.name.split(" ·")[0] == name}
    ours |= {ref for ref, job in provider.jobs.items() if name in str(job.order.get("prompt"))}
    return sum(entry.credits for entry in provider.ledger if entry.ref in ours)


def open_rows(database: Path) -> list[str]:
    return [
        f"{table} #{row_id} {status}"
        for table, condition in OPEN_ROWS.items()
        for row_id, status in read(database, f"SELECT id, status FROM {table} WHERE {condition}")  # noqa: S608
    ]


def read(database: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()

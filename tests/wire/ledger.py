"""The books of a kill run: what was promised to members against what was charged and posted."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.apiframe import RehearsalApiframe
from tests.wire.messages import StoredMessage

FOOTER = re.compile(r"^-# ((?:Training|Pictures|Key) #\d+ · .+)$", re.MULTILINE)
OPEN_ROWS = {
    "trainings": "status NOT IN ('ready', 'failed', 'cancelled')",
    "generations": "status NOT IN ('ready', 'failed')",
    "posts": "status NOT IN ('posted', 'kept')",
}


@dataclass(slots=True)
class Promises:
    """What members were told is accepted: training names and prompts by number."""

    trainings: dict[int, str] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trainings) + len(self.pictures)


@dataclass(slots=True)
class Verdict:
    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    double_submitted: list[str] = field(default_factory=list)
    double_posted: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def add(self, other: "Verdict") -> None:
        self.jobs += other.jobs
        for name in ("lost", "double_submitted", "double_posted", "stuck", "unanswered", "late"):
            getattr(self, name).extend(getattr(other, name))

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.double_submitted or self.double_posted or self.stuck or self.unanswered)

    def line(self, kills: int) -> str:
        return (
            f"kills {kills}, jobs {self.jobs}, lost {len(self.lost)}, double-submitted {len(self.double_submitted)}, "
            f"double-posted {len(self.double_posted)}, stuck {len(self.stuck)}, "
            f"unanswered {len(self.unanswered)}, late {len(self.late)}"
        )


def footers(messages: Iterable[StoredMessage]) -> Counter[str]:
    """How often each post's last line stands in these messages."""
    return Counter(line for message in messages for line in FOOTER.findall(message.text))


def judge(
    promises: Promises, provider: RehearsalApiframe, messages: Iterable[StoredMessage], database: Path
) -> Verdict:
    """`database` is the bot's SQLite file, read after its last life."""
    posted = footers(messages)
    creates = Counter(
        provider.loras[entry.ref].name.split(" ·")[0] for entry in provider.ledger if entry.what == "create"
    )
    pictures = Counter(
        str(provider.jobs[entry.ref].order["prompt"]) for entry in provider.ledger if entry.what == "images"
    )
    verdict = Verdict(jobs=len(promises), stuck=open_rows(database))
    for number, name in promises.trainings.items():
        if not posted[f"Training #{number} · ready"] or not creates[name]:
            verdict.lost.append(f"training #{number} {name!r}")
    for number, prompt in promises.pictures.items():
        if not posted[f"Pictures #{number} · AI-generated"] or not any(key.endswith(prompt) for key in pictures):
            verdict.lost.append(f"pictures #{number} {prompt!r}")
    verdict.double_submitted = [name for name, count in (creates + pictures).items() if count > 1]
    verdict.double_posted = [line for line, count in posted.items() if count > 1]
    return verdict


def open_rows(database: Path) -> list[str]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = [
            f"{table} #{row_id} {status}"
            for table, condition in OPEN_ROWS.items()
            for row_id, status in connection.execute(f"SELECT id, status FROM {table} WHERE {condition}")  # noqa: S608
        ]
    connection.close()
    return rows

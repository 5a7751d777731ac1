"""What `doctor` has found: one line each, for people and for machines. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`ok`: as it should be. `warn`: Darkroom runs, but something is missing. `fail`: something does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`name`: what was looked at; `words`: how it is; `what_to_do`: empty when there is nothing to do."""

    name: str
    state: State
    words: str
    what_to_do: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<4}  {self.name}: {self.words}{' ' if self.what_to_do else ''}{self.what_to_do}"
        return "".join(letter if letter.isprintable() else "?" for letter in line)


def ok(name: str, words: str) -> Finding:
    return Finding(name, State.OK, words)


def warn(name: str, words: str, what_to_do: str) -> Finding:
    return Finding(name, State.WARN, words, what_to_do)


def fail(name: str, words: str, what_to_do: str) -> Finding:
    return Finding(name, State.FAIL, words, what_to_do)


def as_json(findings: Sequence[Finding]) -> str:
    """`failed` and `warned` count; each finding has `name`, `state`, `words` and `what_to_do`."""
    listed = [
        {"name": each.name, "state": each.state, "words": each.words, "what_to_do": each.what_to_do}
        for each in findings
    ]
    return json.dumps({**counts(findings), "findings": listed}, indent=2)


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    states = [each.state for each in findings]
    return {"failed": states.count(State.FAIL), "warned": states.count(State.WARN)}


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    failed, warned = counts(findings).values()
    if not failed and not warned:
        return f"All {len(findings)} checks are fine."
    return f"Of {len(findings)} checks {failed} failed, and {warned} gave a warning."

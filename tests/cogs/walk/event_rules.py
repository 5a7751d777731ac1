"""The reference model of events: who may change which of their rows, and what may be told to whom."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.records.event import DepictionStatus, EntrantStatus, EventStatus
from bot.records.guild import Actor
from bot.records.lora import Audience
from tests.cogs.walk.changes import Change, Row
from tests.cogs.walk.events import SKETCH

SETTINGS = frozenset(
    {
        "name",
        "theme",
        "rules",
        "mode",
        "subject_kind",
        "photo_cap",
        "pictures_each",
        "entrants_min",
        "entrants_max",
        "budget",
        "role_ids",
        "on_tie",
        "winner_role_id",
        "passes_role",
        "moderator_ids",
        "jury_role_id",
        "pack",
        "style_ids",
        "lora_ids",
        "candidates",
        "hours",
        "wants_thread",
        "wants_calendar",
        "status",
    }
)
"""What changes only when those who run the event do something: time does not pass by itself."""
TALLY = re.compile(r"\d+ votes?\b")
ASKED = "asked whether they agree"
SAID_NO = "you said no"


@dataclass(eq=False)
class EventRules:
    """`rows` are the present rows by table and id, as the model keeps them."""

    rows: Mapping[str, Mapping[int, Row]]

    def told(self, who: Actor, said: str, changes: Sequence[Change]) -> Iterator[str]:
        """What the bot should not have said in a step of this actor: drafts, tallies, names on a ballot, vetoes."""
        said = said.casefold()
        moved = {each.row_id for each in changes if each.table == "events" and "status" in each.columns}
        for event in self.rows["events"].values():
            name = event["name"].casefold()
            if name not in said or event["guild_id"] != who.guild_id:
                continue
            is_draft = event["opened_at"] is None and name.startswith(SKETCH)
            if is_draft and not self._runs(event, who):
                yield f"told of the draft {name}"
            if event["status"] == EventStatus.VOTING and event["id"] not in moved and TALLY.search(said):
                yield f"told votes of {name} before its close"
            is_blind = event["status"] != EventStatus.FINISHED and f"the ballot of **{name}**" in said
            if is_blind and any(f"<@{user}>" in said for user in self._entrants(event)):
                yield f"named somebody on the ballot of {name} before its close"
        yield from self._vetoes(who, said, changes)

    def may(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool | None:
        """None for a table that holds nothing of events, or nothing that anybody is kept from."""
        rule = getattr(self, f"_may_{change.table}", None)
        return None if rule is None else bool(rule(who, change, changes))

    def excuses(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        """Whether a row that is somebody else's has changed as part of an event that this actor may move on."""
        row = change.after or change.before or {}
        if change.table == "lora_shares" and row["audience"] == Audience.EVENT:
            return self._runs(self._event(row["audience_id"], changes), who)
        if row.get("event_id") is None:
            return False
        runs = self._runs(self._event(row["event_id"], changes), who)
        match change.table:
            case "generations":
                return runs and (row["pack_index"] is not None or change.before is not None)
            case "datasets":
                return runs or who.user_id in self._of_event("entrants", row["event_id"], changes)
            case "consents":
                is_seen = any(
                    each["consent_id"] == change.row_id and each["user_id"] == who.user_id
                    for each in self._all("depictions", changes)
                )
                return (runs or is_seen) and change.columns == {"withdrawn_at"}
            case _:
                return runs and change.table == "loras" and change.before is None

    def event_ids(self, user_id: int) -> frozenset[int]:
        """The events that this member takes part in."""
        return frozenset(
            row["event_id"]
            for row in self.rows["entrants"].values()
            if row["user_id"] == user_id and row["status"] == EntrantStatus.IN
        )

    def _vetoes(self, who: Actor, said: str, changes: Sequence[Change]) -> Iterator[str]:
        """Who said no is told to themselves alone."""
        answers = [each for each in self._all("depictions", changes) if each["status"] == DepictionStatus.VETOED]
        if SAID_NO in said and who.user_id not in {each["user_id"] for each in answers}:
            yield "told somebody that they said no who did not"
        if ASKED not in said:
            return
        for each in answers:
            asked_again = any(
                (other["event_id"], other["named_by"], other["user_id"])
                == (each["event_id"], each["named_by"], each["user_id"])
                and other["status"] != DepictionStatus.VETOED
                for other in self._all("depictions", changes)
            )
            event = self.rows["events"].get(each["event_id"])
            is_about = event is not None and event["name"].casefold() in said and each["named_by"] == who.user_id
            if is_about and not asked_again and f"<@{each['user_id']}>" in said:
                yield f"told who said no in event {each['event_id']}"

    def _may_events(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        if change.before is None:
            may_host = who.is_admin or who.is_event_host
            return may_host and (change.after or {})["host_id"] == who.user_id
        return self._runs(change.before, who) or not change.columns & SETTINGS

    def _may_entrants(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        is_theirs = bool(row["user_id"] == who.user_id)
        if change.before is None:
            return is_theirs
        is_left = bool(change.columns & {"status", "left_at"})
        return is_theirs or not is_left or self._runs(self._event(row["event_id"], changes), who)

    def _may_depictions(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        if change.before is None:
            return bool(row["named_by"] == who.user_id)
        if change.after is not None:
            return row["user_id"] == who.user_id or not change.columns & {"status", "user_id", "answered_at"}
        shares_it = any(
            each["consent_id"] == row["consent_id"] and each["user_id"] == who.user_id
            for each in self._all("depictions", changes)
        )
        runs = self._runs(self._event(row["event_id"], changes), who)
        return who.user_id in {row["user_id"], row["named_by"]} or shares_it or runs

    def _may_spends(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        is_theirs = row["user_id"] == who.user_id
        if row["event_id"] is None:
            return is_theirs or change.before is not None
        return change.before is not None or is_theirs or self._runs(self._event(row["event_id"], changes), who)

    def _may_entries(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        runs = self._runs(self._event(row["event_id"], changes), who)
        return row["user_id"] == who.user_id or runs or who.is_moderator

    def _may_votes(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        if change.after is not None:
            return bool(row["voter_id"] == who.user_id)
        entry = self.rows["entries"].get(row["entry_id"], {})
        runs = self._runs(self._event(row["event_id"], changes), who)
        return who.user_id in {row["voter_id"], entry.get("user_id")} or runs or who.is_moderator

    _may_runoff_votes = _may_votes

    def _may_honours(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        return row["user_id"] == who.user_id or self._runs(self._event(row["event_id"], changes), who)

    def _runs(self, event: Row | None, who: Actor) -> bool:
        if event is None or event["guild_id"] != who.guild_id:
            return False
        return (
            who.is_admin or who.is_event_host or who.user_id in {event["host_id"], *json.loads(event["moderator_ids"])}
        )

    def _event(self, event_id: int, changes: Sequence[Change]) -> Row | None:
        made = [change.after for change in changes if change.table == "events" and change.row_id == event_id]
        return self.rows["events"].get(event_id) or (made[0] if made else None)

    def _entrants(self, event: Row) -> set[int]:
        return {row["user_id"] for row in self.rows["entrants"].values() if row["event_id"] == event["id"]}

    def _of_event(self, table: str, event_id: int, changes: Sequence[Change]) -> set[int]:
        return {row["user_id"] for row in self._all(table, changes) if row["event_id"] == event_id}

    def _all(self, table: str, changes: Sequence[Change]) -> list[Row]:
        """Before and after this step."""
        touched = [row for change in changes if change.table == table for row in (change.before, change.after) if row]
        return [*self.rows[table].values(), *touched]

"""The reference model of the walk through three guilds: what may be said, stored, paid and changed after one step.

It never asks the services it judges; `bot.rights` alone is taken over, for what members of one guild may do.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.loras.rights import Right, allows
from bot.records.dataset import SubjectKind
from bot.records.guild import NOBODY, Actor
from bot.records.key import ProviderName
from bot.records.lora import Audience, Lora, Share
from tests.cogs.walk.changes import Change, Journal, Row, triggers
from tests.cogs.walk.event_rules import EventRules
from tests.cogs.walk.world import WORDS, Party, Town

CHANNEL = re.compile(r"/channels/(\d+)")
BEGUN = frozenset(
    {
        "datasets",
        "photos",
        "trainings",
        "generations",
        "lora_shares",
        "lora_offers",
        "picture_reports",
        "entrants",
        "approvals",
    }
    | {"entries", "votes", "events", "limits", "blocks", "api_keys"}
)
"""Tables whose new rows somebody has asked for."""
INCIDENT = "something went wrong on our side"


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did: in these guilds (several in a private message), having typed this."""

    who: Actor
    """Of no guild in a private message."""
    parties: Sequence[Party]
    what: str
    typed: Sequence[str] = ()
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.who.user_id} in {'+'.join(party.word for party in self.parties)}: {self.what}"


@dataclass(eq=False)
class Model:
    """Remembers who owns what, from the changes it was told of."""

    town: Town
    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    """The present rows by table and id."""
    ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Every id that ever was, by table."""
    _pictures: dict[str, int] = field(default_factory=dict)
    _spent: tuple[int, int] = (0, 0)
    _kept: dict[str, tuple[int, int]] = field(default_factory=dict)
    _journal: Journal = field(init=False)
    _of_events: EventRules = field(init=False)

    def __post_init__(self) -> None:
        self._of_events = EventRules(self.rows)
        self._journal = Journal(self.town.file)

    async def watch(self) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            for statement in triggers():
                await connection.exec_driver_sql(statement)

        await self.town.darkroom.database.write(transaction)

    def absorb(self) -> None:
        """Take over what nobody is blamed for, and forget what was said."""
        self._store(self._journal.changes())
        self._spent = (len(self.town.apiframe.ledger), len(self.town.aurous.ledger))
        self._kept = self._at_providers()
        self._forget_talk()

    def judge(self, step: Step) -> list[str]:
        """Everything that should not have happened."""
        changes = self._journal.changes()
        found = [
            *self._heard(step, changes),
            *self._reached(step, changes),
            *self._paid(step),
            *self._allowed(step, changes),
        ]
        self._store(changes)
        self._forget_talk()
        return found

    def _forget_talk(self) -> None:
        backend = self.town.env.backend
        backend.http_requests.clear()
        backend.transcript.clear()
        self.town.cdn.passed.clear()

    def _store(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.after is None:
                self.rows[change.table].pop(change.row_id, None)
                continue
            if change.before is None:
                self.ids[change.table].append(change.row_id)
            self.rows[change.table][change.row_id] = change.after
            self._note_picture(change)

    def _note_picture(self, change: Change) -> None:
        name = (change.after or {}).get("file")
        path = self.town.spool.path(name) if name else None
        if change.table == "pictures" and change.before is None and path is not None and path.exists():
            self._pictures[hashlib.sha256(path.read_bytes()).hexdigest()] = change.guild_id

    def _heard(self, step: Step, changes: Sequence[Change]) -> Iterator[str]:
        """Whatever the bot sent in this step is for people of these guilds."""
        for request in self.town.env.http_requests:
            said = f"{request.path} {json.dumps(request.json, default=str, ensure_ascii=False)}"
            yield from self._canaries(step, said, "said")
            yield from self._told(step, said, changes)
            if INCIDENT in said.lower():
                yield "the bot had an incident"
            yield from self._misplaced(step, request.path, request.json)
        mine = {party.guild.id for party in step.parties}
        for name, content in self.town.cdn.passed:
            yield from self._canaries(step, name, "named a file")
            if self._pictures.get(hashlib.sha256(content).hexdigest(), next(iter(mine))) not in mine:
                yield f"showed a picture of another guild as {name}"
            if len(content) < 2**16 and name.split()[0].endswith(".txt"):
                yield from self._canaries(step, content.decode(), "put into a file")

    def _told(self, step: Step, said: str, changes: Sequence[Change]) -> Iterator[str]:
        """What is hidden within the guild, too; in a private message from whoever they are in one of theirs."""
        for party in step.parties:
            who = self._acting(step, party.guild.id)
            if who is not None:
                yield from self._of_events.told(who, said, changes)

    def _misplaced(self, step: Step, path: str, body: Any) -> Iterator[str]:
        backend, members = self.town.env.backend, {m.member.id for party in step.parties for m in party.people}
        private = {channel: user for user, channel in backend.dm_channels.items()}
        match = CHANNEL.match(path)
        if path == "/users/@me/channels" and int(body["recipient_id"]) not in members:
            yield f"wrote privately to {body['recipient_id']}, who is not a member"
        if match is not None and int(match[1]) in private:
            if private[int(match[1])] not in members:
                yield f"wrote privately to {private[int(match[1])]}, who is not a member"
        elif match is not None:
            guild_id = backend.get_channel(int(match[1])).guild_id
            if guild_id not in {party.guild.id for party in step.parties}:
                yield f"touched channel {match[1]} of another guild"

    def _canaries(self, step: Step, text: str, how: str) -> Iterator[str]:
        text = text.casefold()
        for typed in step.typed:
            text = text.replace(typed.casefold(), "")
        for word in WORDS:
            if word in text and word not in {party.word for party in step.parties}:
                at = text.index(word)
                yield f"{how} {word}: …{text[max(0, at - 80) : at + 40]}…"

    def _reached(self, step: Step, changes: Iterable[Change]) -> Iterator[str]:
        """No row of another guild has changed, and none of these guilds holds another one's words."""
        mine = {party.guild.id for party in step.parties}
        for change in changes:
            if change.guild_id not in mine or (change.after or {}).get("guild_id", change.guild_id) not in mine:
                yield f"reached into guild {change.guild_id}: {change}"
            elif change.after is not None:
                yield from self._canaries(
                    step, json.dumps(change.after, ensure_ascii=False), f"stored in {change.table}"
                )

    def _paid(self, step: Step) -> Iterator[str]:
        """Other guilds' teams have paid nothing, lost nothing, and were sent nothing."""
        apiframe, aurous = self.town.apiframe, self.town.aurous
        mine = {party.word for party in step.parties}
        fresh = [
            *((entry.team, entry.what, entry.ref) for entry in apiframe.ledger[self._spent[0] :]),
            *((entry.team, entry.what, entry.ref) for entry in aurous.ledger[self._spent[1] :]),
        ]
        self._spent = (len(apiframe.ledger), len(aurous.ledger))
        for team, what, ref in fresh:
            if team not in mine:
                yield f"{team} paid: {what}"
            elif ref in apiframe.jobs:
                yield from self._canaries(step, json.dumps(apiframe.jobs[ref].order), "ordered")
            elif ref in aurous.images:
                yield from self._canaries(step, str(aurous.images[ref].order), "ordered")
        kept = self._at_providers() if apiframe.requests or aurous.requests else self._kept
        for team in WORDS:
            if team not in mine and kept.get(team) != self._kept.get(team):
                yield f"{team}'s LoRAs or characters at a provider changed"
        self._kept = kept
        for seen in (apiframe.requests, aurous.requests):
            seen.clear()

    def _at_providers(self) -> dict[str, tuple[int, int]]:
        """(LoRAs that are there, characters) by team."""
        loras, characters = self.town.apiframe.loras.values(), self.town.aurous.characters.values()
        return {
            team: (
                sum(lora.team == team and lora.status != "ARCHIVED" for lora in loras),
                sum(character.team == team for character in characters),
            )
            for team in WORDS
        }

    def _allowed(self, step: Step, changes: Sequence[Change]) -> Iterator[str]:
        """Within the guild: what `bot.rights` refuses to this member did not happen."""
        for change in changes:
            who = self._acting(step, change.guild_id)
            yield from self._by_blocked(step, change, changes)
            rule = getattr(self, f"_may_{change.table}", None)
            if who is None or self._of_events.excuses(who, change, changes):
                continue
            refuses = rule is not None and not rule(who, change, changes)
            if refuses or self._of_events.may(who, change, changes) is False:
                yield f"not allowed to this member: {change}"

    def _by_blocked(self, step: Step, change: Change, changes: Sequence[Change]) -> Iterator[str]:
        """Whoever is blocked begins nothing and changes nothing of others; they may erase and take back their own."""
        is_blocked = any(
            (row["guild_id"], row["user_id"]) == (change.guild_id, step.who.user_id)
            for row in self.rows["blocks"].values()
        )
        if is_blocked and step.who.guild_id and change.before is None and change.table in BEGUN:
            yield f"was blocked: {change}"

    def _acting(self, step: Step, guild_id: int) -> Actor | None:
        """Who acts, as a member of this guild; without any office in a private message."""
        for person in self.town.known_as(step.who.user_id):
            if person.party.guild.id == guild_id:
                return self._moderating(person.actor) if step.who.guild_id else Actor(guild_id, step.who.user_id)
        return None

    def _moderating(self, who: Actor) -> Actor:
        """Whether they have the roles that the admins have chosen."""
        here = [row for row in self.rows["guilds"].values() if row["guild_id"] == who.guild_id]
        moderates, hosts = (
            who.is_admin or not {row[name] for row in here}.isdisjoint(who.role_ids)
            for name in ("moderator_role_id", "host_role_id")
        )
        return replace(who, is_moderator=moderates, is_event_host=hosts)

    def _may(self, right: Right, lora_id: int, who: Actor) -> bool:
        row = self.rows["loras"].get(lora_id)
        shares = [share_of(share) for share in self.rows["lora_shares"].values() if share["lora_id"] == lora_id]
        event_ids = self._of_events.event_ids(who.user_id)
        return row is not None and allows(right, lora_of(row), shares, who, event_ids)

    def _owns(self, lora_id: int, who: Actor) -> bool:
        """Archived or not; who erases a LoRA of theirs erases what was about it."""
        return bool(self.rows["loras"].get(lora_id, {}).get("owner_id") == who.user_id)

    def _takes_over(self, lora_id: int, who: Actor) -> bool:
        """Whether an open offer of this LoRA's owner is for this member."""
        owner = self.rows["loras"].get(lora_id, {}).get("owner_id")
        return any(
            (offer["lora_id"], offer["from_id"], offer["to_id"], offer["status"])
            == (lora_id, owner, who.user_id, "open")
            for offer in self.rows["lora_offers"].values()
        )

    def _may_loras(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        if change.before is None:
            return bool((change.after or {})["owner_id"] == who.user_id)
        if change.after is None:
            return bool(change.before["owner_id"] == who.user_id)
        if "owner_id" in change.columns:
            return change.after["owner_id"] == who.user_id and self._takes_over(change.row_id, who)
        is_touched = change.columns & {"name", "note", "archived_at", "guild_id"}
        return not is_touched or self._may(Right.CHANGE, change.row_id, who)

    def _may_lora_shares(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        if change.before is None:
            return self._may(Right.SHARE, row["lora_id"], who)
        is_theirs = who.user_id in {row["audience_id"], row["granted_by"]} or self._owns(row["lora_id"], who)
        return is_theirs or self._may(Right.CHANGE, row["lora_id"], who) or self._takes_over(row["lora_id"], who)

    def _may_lora_offers(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        blocked = {(each.after or {}).get("user_id") for each in changes if each.table == "blocks"}
        if row["status"] == "withdrawn" and not blocked.isdisjoint({row["from_id"], row["to_id"]}):
            return who.is_moderator
        if change.before is None:
            return row["from_id"] == who.user_id and self._may(Right.SHARE, row["lora_id"], who)
        if change.after is None:
            return who.user_id in {row["from_id"], row["to_id"]} or self._owns(row["lora_id"], who)
        if row["status"] in {"accepted", "declined"}:
            return bool(row["to_id"] == who.user_id)
        return who.user_id in {row["from_id"], row["to_id"]} or self._may(Right.CHANGE, row["lora_id"], who)

    def _may_likeness_claims(self, who: Actor, change: Change, changes: Sequence[Change]) -> bool:
        """Everybody claims for themselves alone; its owner and moderators decide, and never the claimant.

        What is retired for one claimant is retired for all.
        """
        before, after = change.before or {}, change.after or {}
        if change.before is None:
            return bool(after["user_id"] == who.user_id)
        if "user_id" in change.columns:
            return bool(before["user_id"] == who.user_id)
        if after.get("status") in {"kept", "retired"}:
            decided = [each for each in changes if each.table == change.table and each.before is not None]
            same = [each.before for each in decided if (each.after or {}).get("status") == after["status"]]
            others = {row["user_id"] for row in same if row and row["lora_id"] == before["lora_id"]} - {who.user_id}
            return bool(others) and (self._owns(before["lora_id"], who) or who.is_moderator)
        return after.get("status") == "gone" and (
            self._owns(before["lora_id"], who) or self._may(Right.CHANGE, before["lora_id"], who)
        )

    def _may_generations(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        is_theirs = bool(row["user_id"] == who.user_id)
        if change.before is None:
            return is_theirs and (row["lora_id"] is None or self._may(Right.USE, row["lora_id"], who))
        return is_theirs or (change.after is not None and who.is_moderator)

    def _may_datasets(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        return bool((change.after or change.before or {})["user_id"] == who.user_id)

    _may_remembered = _may_consents = _may_datasets

    def _may_picture_reports(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        is_theirs = bool(row["reporter_id"] == who.user_id)
        return is_theirs if change.before is None else is_theirs or who.is_moderator or change.after is None

    def _may_blocks(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        """Somebody who erases what is about them leaves a block without their id."""
        named = {(change.before or {}).get("user_id"), (change.before or {}).get("blocked_by")}
        return who.is_moderator or (change.after is not None and who.user_id in named)

    def _may_approvals(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        row = change.after or change.before or {}
        is_theirs = bool(row["user_id"] == who.user_id)
        return is_theirs or who.is_moderator if change.after is None or change.before is None else who.is_moderator

    def _may_limits(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        return who.is_admin or _takes_own_name_out(who, change)

    def _may_guilds(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        """Moderators write the list of words.

        An order of anybody's sees to it that the server's row is looked at when its books get too old.
        """
        return who.is_admin or change.columns == {"due_at"} or (who.is_moderator and change.columns == {"words"})

    def _may_api_keys(self, who: Actor, change: Change, _changes: Sequence[Change]) -> bool:
        is_touched = change.columns & {"id", "sealed", "last4", "set_by", "retired_at"}
        return who.is_admin or not is_touched or _takes_own_name_out(who, change)


def _takes_own_name_out(who: Actor, change: Change) -> bool:
    """Whether somebody who had set this has everything about them erased."""
    before, after = change.before or {}, change.after or {}
    return change.columns == {"set_by"} and (before["set_by"], after["set_by"]) == (who.user_id, NOBODY)


def lora_of(row: Row) -> Lora:
    kinds = {"provider": ProviderName(row["provider"]), "subject_kind": SubjectKind(row["subject_kind"])}
    return Lora(**({field.name: row[field.name] for field in fields(Lora)} | kinds))


def share_of(row: Row) -> Share:
    return Share(**(row | {"audience": Audience(row["audience"])}))

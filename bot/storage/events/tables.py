"""The tables of events: who takes part, who agreed, what is spent, who voted for what."""

import sqlalchemy as sa

from bot.records.ballot import AwardStatus
from bot.records.dataset import SubjectKind
from bot.records.event import (
    AnnouncementKind,
    DepictionStatus,
    EntrantStatus,
    EventMode,
    EventStatus,
    OnTie,
    PauseReason,
    Repeat,
)
from bot.storage.columns import CANDIDATES, HOURS, ID_SET, TUPLE, Instant, Word, due, snowflake, table


def _event_id(*, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("event_id", sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=nullable)


events = table(
    "events",
    snowflake("guild_id"),
    snowflake("channel_id"),
    sa.Column("thread_id", sa.BigInteger),
    snowflake("host_id"),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("theme", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("mode", Word(EventMode), nullable=False),
    sa.Column("subject_kind", Word(SubjectKind), nullable=False),
    sa.Column("status", Word(EventStatus), nullable=False),
    sa.Column("photo_cap", sa.Integer, nullable=False),
    sa.Column("pictures_each", sa.Integer, nullable=False),
    sa.Column("entrants_min", sa.Integer, nullable=False),
    sa.Column("entrants_max", sa.Integer),
    sa.Column("budget", sa.Integer),
    sa.Column("role_ids", ID_SET, nullable=False),
    sa.Column("moderator_ids", ID_SET, nullable=False),
    sa.Column("jury_role_id", sa.BigInteger),
    sa.Column("pack", TUPLE, nullable=False),
    sa.Column("style_ids", TUPLE, nullable=False),
    sa.Column("lora_ids", TUPLE, nullable=False),
    sa.Column("candidates", CANDIDATES, nullable=False),
    sa.Column("hours", HOURS, nullable=False),
    sa.Column("wants_thread", sa.Boolean, nullable=False),
    sa.Column("wants_calendar", sa.Boolean, nullable=False),
    sa.Column("calendar_id", sa.BigInteger),
    sa.Column("pinned_id", sa.BigInteger),
    sa.Column("banner", sa.String(80)),
    sa.Column("banner_by", sa.BigInteger),
    sa.Column("winner_role_id", sa.BigInteger),
    sa.Column("passes_role", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("on_tie", Word(OnTie), nullable=False, server_default=OnTie.SHARE.value),
    sa.Column("runoff_ids", TUPLE, nullable=False, server_default="[]"),
    sa.Column("stage_ends_at", Instant),
    sa.Column("paused_at", Instant),
    sa.Column("paused_why", Word(PauseReason)),
    sa.Column("dataset_id", sa.BigInteger),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("opens_at", Instant),
    sa.Column("opens_zone", sa.String(40)),
    sa.Column("repeats", Word(Repeat)),
    sa.Column("series_from", Instant),
    sa.Column("steps", sa.Integer),
    sa.Column("rank", sa.Integer),
    sa.Column("opened_at", Instant),
    sa.Column("ended_at", Instant),
    *due(),
    sa.Index("ix_events_guild", "guild_id", "status"),
)

entrants = table(
    "entrants",
    _event_id(),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("status", Word(EntrantStatus), nullable=False),
    sa.Column("dataset_id", sa.BigInteger),
    sa.Column("training_id", sa.BigInteger),
    sa.Column("lora_id", sa.BigInteger),
    sa.Column("photos_chosen", sa.Integer, nullable=False, server_default="0"),
    sa.Column("joined_at", Instant, nullable=False),
    sa.Column("left_at", Instant),
    sa.UniqueConstraint("event_id", "user_id"),
    sa.Index("ix_entrants_member", "guild_id", "user_id", "status"),
)

depictions = table(
    "depictions",
    _event_id(nullable=True),
    sa.Column("dataset_id", sa.BigInteger, index=True),
    snowflake("guild_id"),
    sa.Column("consent_id", sa.BigInteger, nullable=False),
    snowflake("user_id"),
    snowflake("named_by"),
    sa.Column("status", Word(DepictionStatus), nullable=False),
    sa.Column("in_training", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("answered_at", Instant),
    sa.UniqueConstraint("consent_id", "user_id"),
    sa.Index("ix_depictions_event", "event_id", "status"),
    sa.Index("ix_depictions_member", "guild_id", "user_id"),
)

entries = table(
    "entries",
    _event_id(),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("picture_ids", TUPLE, nullable=False),
    sa.Column("position", sa.Integer),
    sa.Column("label", sa.String(100)),
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("event_id", "position"),
    sa.Index("ix_entries_member", "event_id", "user_id"),
)


def _votes(name: str) -> sa.Table:
    return table(
        name,
        _event_id(),
        snowflake("guild_id"),
        sa.Column("entry_id", sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
        snowflake("voter_id"),
        sa.Column("is_jury", sa.Boolean, nullable=False),
        sa.Column("cast_at", Instant, nullable=False),
        sa.UniqueConstraint("event_id", "voter_id"),
    )


votes = _votes("votes")
runoff_votes = _votes("runoff_votes")
"""Those of the second vote, between entries that were tied."""

honours = table(
    "honours",
    _event_id(),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("event_name", sa.String(60), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False),
    sa.Column("picture_id", sa.BigInteger),
    sa.Column("label", sa.String(100)),
    sa.Column("awarded_at", Instant, nullable=False),
    sa.Column("entry_id", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("event_id", "entry_id"),
    sa.Index("ix_honours_guild", "guild_id", "user_id"),
)

awards = table(
    "awards",
    _event_id(),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("role_id", sa.BigInteger, nullable=False),
    sa.Column("status", Word(AwardStatus), nullable=False),
    sa.Column("given_at", Instant, nullable=False),
    sa.UniqueConstraint("event_id", "user_id"),
    sa.Index("ix_awards_member", "guild_id", "user_id"),
)

announcements = table(
    "announcements",
    _event_id(),
    snowflake("guild_id"),
    sa.Column("what", Word(AnnouncementKind), nullable=False),
    sa.Column("once", sa.String(60), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("event_id", "once"),
)

galleries = table(
    "galleries",
    _event_id(),
    snowflake("guild_id"),
    sa.Column("token", sa.String(43), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    sa.UniqueConstraint("event_id"),
)

gallery_consents = table(
    "gallery_consents",
    _event_id(),
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("wording", sa.Text, nullable=False),
    sa.Column("given_at", Instant, nullable=False),
    sa.UniqueConstraint("event_id", "user_id"),
)

"""What an export calls each table and field, and what it leaves out. A test compares this with the tables."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import policy_tables as p
from bot.storage import question_tables as q
from bot.storage import tables as t
from bot.storage.events import tables as e
from bot.storage.jobs import tables as j

HEADINGS: Final[Mapping[sa.Table, str]] = {
    t.datasets: "Datasets",
    t.photos: "Photos you gave",
    t.consents: "Consents",
    t.trainings: "Trainings",
    t.loras: "LoRAs and characters",
    t.lora_shares: "LoRAs shared",
    t.lora_offers: "LoRAs offered",
    t.generations: "Orders of pictures",
    t.pictures: "Pictures",
    t.reference_pictures: "Reference pictures",
    t.picture_reports: "Reports you made",
    t.remembered: "What you used last",
    t.posts: "Messages for you",
    t.timeline: "Course of your jobs",
    t.api_keys: "API keys you stored",
    e.events: "Events you host or gave a banner to",
    e.entrants: "Events you take part in",
    e.depictions: "People named in photos",
    e.entries: "Pictures entered for a vote",
    e.votes: "Your votes",
    e.runoff_votes: "Your votes in run-offs",
    e.honours: "Places you won",
    e.awards: "Roles you won",
    e.gallery_consents: "Galleries on the web you agreed to",
    p.approvals: "Pictures shown to moderators first",
    p.blocks: "Blocks",
    p.limits: "Limits you set",
    p.moderation_log: "Log of the server",
    p.spends: "What you spent",
    p.removals: "Receipts",
    q.questions: "Questions to you and from you",
    j.lora_previews: "Pictures that LoRAs keep",
    q.mutes: "Private questions you ended",
    q.preferences: "What you prefer",
    q.photo_requests: "Requests for photos",
    q.likeness_claims: "LoRAs you said to be in",
}

SECRET: Final = frozenset(
    [
        "account",
        "endpoint_id",
        "endpoint_secret",
        "endpoint_token",
        "endpoint_url",
        "idempotency_key",
        "image_urls",
        "key_id",
        "last4",
        "nonce",
        "sealed",
        "url",
        "webhook_token",
    ]
)
"""They open something, or belong to the server's account at a provider."""
INNER: Final = frozenset(
    [
        "attempt",
        "banner",
        "banner_id",
        "calendar_id",
        "candidates",
        "checked_at",
        "content_type",
        "dhash",
        "doubt",
        "due_at",
        "endpoint_heard_at",
        "file",
        "guild_id",
        "late",
        "pinned_id",
        "lease_owner",
        "lease_until",
        "marker",
        "pack_index",
        "parent_id",
        "place_index",
        "places",
        "revision",
        "runoff_ids",
        "sending_at",
        "slots",
        "slots_learnt",
        "submitting_at",
        "thread_id",
        "user_id",
        "voter_id",
        "wakes",
        "wants_calendar",
        "wants_thread",
    ]
)
"""How the bot keeps its own order, and whose row it is: yours."""
OF_OTHERS: Final = frozenset(
    [
        "balance_before",
        "jury_role_id",
        "last_error",
        "last_error_at",
        "moderator_ids",
        "role_ids",
        "uploads",
        "winner_role_id",
    ]
)
"""They tell of the server or of other people."""

WORDS: Final[Mapping[str, str]] = {
    "about": "What it is about",
    "act": "What was done",
    "age": "Age",
    "answer": "Answer of the provider",
    "answered_at": "Answered at",
    "archived_at": "Archived at",
    "chosen_at": "Chosen as the default at",
    "strength": "Default strength",
    "asked_at": "Asked at",
    "at": "At",
    "audience": "Shared with",
    "audience_id": "Who that is",
    "awarded_at": "Won at",
    "banner_by": "Banner given by",
    "blocked_at": "Blocked at",
    "blocked_by": "Blocked by",
    "brightness": "Brightness",
    "budget": "Budget in credits",
    "cast_at": "Cast at",
    "channel_id": "Channel",
    "consent_id": "Number of the consent",
    "contributor_id": "Given by",
    "cost": "Credits it took",
    "created_at": "Made at",
    "credits": "Credits",
    "dataset_id": "Number of the dataset",
    "decided_at": "Decided at",
    "deleted_at": "Deleted at",
    "detail": "More about it",
    "dismissed_at": "Closed at",
    "ended_at": "Ended at",
    "entrants_max": "Most people",
    "entrants_min": "Fewest people",
    "entry_id": "Number of the entry",
    "error": "Why it failed",
    "estimate": "Credits expected",
    "ethnicity": "Ethnicity",
    "event_id": "Number of the event",
    "event_name": "Event",
    "findings": "Remarks",
    "finished_at": "Ended at",
    "from_id": "Offered by",
    "gender": "Gender",
    "generation_id": "Number of the order",
    "given_at": "Given at",
    "granted_at": "Shared at",
    "granted_by": "Shared by",
    "height": "Height in pixels",
    "host_id": "Host",
    "hours": "Hours of each stage",
    "id": "Number",
    "in_training": "Used in the training",
    "is_age_restricted": "In an age-restricted channel",
    "is_jury": "As a jury member",
    "is_open": "Still open",
    "is_private": "Pictures privately first",
    "is_quiet": "No pings",
    "joined_at": "Joined at",
    "kind": "Kind",
    "label": "Label",
    "left_at": "Left at",
    "lora_id": "Number of the LoRA",
    "lora_ids": "Numbers of its LoRAs",
    "member_id": "To or for whom",
    "message_id": "Message",
    "missing_since": "Not found at the provider since",
    "mode": "Kind of event",
    "muted_at": "Since",
    "name": "Name",
    "named_by": "Named by",
    "note": "Note",
    "opened_at": "Opened at",
    "opens_at": "Opens at",
    "opens_zone": "Time zone",
    "operation": "What was ordered",
    "origin_id": "Made from order number",
    "outcome": "What came of it",
    "owner_id": "Owner",
    "on_tie": "On a tie",
    "passes_role": "Role goes on to the next winner",
    "pack": "Prompts of the pack",
    "paused_at": "Paused at",
    "paused_why": "Why it is paused",
    "photo_cap": "Photos of each person",
    "percent": "Progress in percent",
    "photo_count": "Photos sent",
    "photo_hashes": "Checksums of the photos (SHA-256)",
    "photos_chosen": "Photos chosen",
    "pick": "Choice",
    "picture_id": "Number of the picture",
    "picture_ids": "Numbers of the pictures",
    "pictures": "Pictures",
    "pictures_each": "Orders of each person",
    "place": "Place",
    "policy_version": "Version of the privacy policy",
    "position": "Position",
    "posted_at": "Posted at",
    "previous_id": "Number of the version before",
    "previous_lora_id": "Newer version of LoRA number",
    "prompt": "Prompt",
    "provider": "Provider",
    "purpose": "Where it was to be shown",
    "kept_at": "Kept since",
    "kept_hours": "Hours for which you asked to keep it",
    "rank": "Rank",
    "reason": "Reason",
    "remote_id": "Number at the provider",
    "repeats": "Comes back",
    "reporter_id": "Reported by",
    "request_id": "Number at the provider",
    "reserved": "Credits set aside",
    "resting_since": "Resting since",
    "retired_at": "Out of use since",
    "retiring_since": "To be removed since",
    "role_id": "Role",
    "rules": "Rules",
    "sample_of": "First picture of the training",
    "saves": "Times it was kept",
    "sent_at": "Sent at",
    "series_from": "First of its series at",
    "set_at": "Stored at",
    "set_by": "Stored by",
    "settings": "Settings",
    "settled_at": "Settled at",
    "sha256": "Checksum (SHA-256)",
    "sharpness": "Sharpness",
    "size": "Size in bytes",
    "stage_ends_at": "Stage ends at",
    "status": "Status",
    "steps": "Steps",
    "style_id": "Number of the style",
    "style_ids": "Numbers of its styles",
    "subject_id": "Number of what it is about",
    "subject_kind": "Kind of subject",
    "subject_table": "About",
    "submitted_at": "Taken by the provider at",
    "theme": "Theme",
    "to_id": "Offered to",
    "training_id": "Number of the training",
    "trainings": "Trainings",
    "trigger_word": "Trigger word",
    "uploaded_at": "Sent at",
    "used_at": "Used at",
    "verdict": "Verdict",
    "version": "Version",
    "votes": "Votes",
    "what": "What happened",
    "who": "For whom",
    "why": "Why",
    "width": "Width in pixels",
    "withdrawn_at": "Taken back at",
    "wording": "What you agreed to",
}
ELSEWHERE: Final[Mapping[sa.Column[Any], str]] = {
    e.depictions.c.user_id: "Who may be seen",
    p.blocks.c.user_id: "Who is blocked",
    p.moderation_log.c.user_id: "Who did it",
    q.likeness_claims.c.user_id: "Who is in it",
    q.mutes.c.user_id: "Who is not asked",
    q.preferences.c.user_id: "Who prefers it",
    q.photo_requests.c.from_id: "Asked by",
    q.photo_requests.c.to_id: "Asked",
    q.questions.c.from_id: "Asked by",
    q.questions.c.to_id: "Asked",
    t.photos.c.detail: "Share of the photo that holds detail",
}
"""Where a field of the same name means something else."""
PEOPLE: Final = frozenset(
    [
        "banner_by",
        "blocked_by",
        "contributor_id",
        "from_id",
        "granted_by",
        "host_id",
        "member_id",
        "named_by",
        "owner_id",
        "reporter_id",
        "set_by",
        "to_id",
        "user_id",
    ]
)
"""Fields that name a person."""
OF_ASKER: Final = frozenset(["channel_id", "outcome"])
"""Of a request for photos: where it was asked and what came of it, the asker's limits among that."""
OF_GIVER: Final = frozenset(["banner_by", "id", "name"])
"""What of an event whoever only gave its banner is shown."""


OF_AN_ENTRY: Final[Mapping[sa.Table, str]] = {t.picture_reports: "generation_id", q.likeness_claims: "lora_id"}
"""What a member said about an entry of a vote: the field by which they would find out whose it is."""


def word_for(column: sa.Column[Any]) -> str | None:
    """What a reader calls this field; None when it is left out. KeyError when nobody has decided yet."""
    if column in ELSEWHERE:
        return ELSEWHERE[column]
    if column.name in SECRET | INNER | OF_OTHERS:
        return None
    return WORDS[column.name]


def own_words(
    table: sa.Table, words: Mapping[str, str], row: Mapping[str, Any], ids: Collection[int], *, is_voting: bool
) -> Mapping[str, str]:
    """Those of the words for the table's columns that the reader, who goes by `ids`, is shown of this row.

    `is_voting`: votes for entries without names are given in its server now.
    """
    if is_voting and table in OF_AN_ENTRY:
        return {name: word for name, word in words.items() if name != OF_AN_ENTRY[table]}
    if table is e.events and row["host_id"] not in ids:
        return {name: word for name, word in words.items() if name in OF_GIVER}
    if table is q.photo_requests and row["from_id"] not in ids:
        return {name: word for name, word in words.items() if name not in OF_ASKER}
    return words

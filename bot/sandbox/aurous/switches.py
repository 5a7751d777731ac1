"""All settings of the rehearsal Aurous Labs: provoked faults, and what its documentation leaves open.

What a test sets lasts until it is unset; what it queues happens once.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.rehearsal.deliveries import WebhookFaults
from bot.sandbox.rehearsal.faults import ServerFaults


class OutputMode(StrEnum):
    BYTES = "bytes"
    REDIRECT = "redirect"


class EventForm(StrEnum):
    """The envelope of a registered endpoint's deliveries; its fields are not documented."""

    FULL = "full"
    """`id, object, type, event, created_at, aurous_version, synthetic, data`: assumed."""
    BARE = "bare"
    """`event, data`, as the callbacks of single orders have it."""
    NESTED = "nested"
    """As FULL, with the resource in `data.object`: assumed."""


@dataclass(slots=True)
class AurousAnswers:
    """Shapes and rules; the defaults are the newest documentation's."""

    loras_as_list: bool = False
    """A list envelope in place of the bare array."""
    first_status: str = "pending"
    """`queued` is named in the quickstart only."""
    image_base: float = 1
    """Credits for one picture; a team's rate may differ from the rate card."""
    billing_mode: str = "metered"
    """`exempt` is never charged or blocked."""
    output_mode: OutputMode = OutputMode.BYTES
    output_life: timedelta = timedelta(hours=24)
    output_format: str = "jpg"
    """Or `png`."""
    picture_side_cap_px: int | None = None
    """Paint smaller pictures than ordered, for tests that do not look at them."""
    relative_urls: bool = False
    """Show `output_urls` without the host."""
    images_at_once: int | None = None
    """From so many unfinished pictures on a team gets 429 `concurrency_limit_exceeded`; the number is not known."""
    extra_fields: bool = False


@dataclass(slots=True)
class AurousWebhooks(WebhookFaults):
    form: EventForm = EventForm.FULL
    callback_secret: str | None = None
    """What signs the callbacks of single orders; None: they are unsigned. Which of the two is right is not known."""
    signature_age_s: int = 0
    """How old the time in a signature is."""


@dataclass
class AurousFaults(ServerFaults):
    """`images` holds one entry for each coming picture order; None: no fault."""

    webhooks: AurousWebhooks = field(default_factory=AurousWebhooks)
    answers: AurousAnswers = field(default_factory=AurousAnswers)
    images: deque[ImageFault | None] = field(default_factory=deque)
    hold_images: bool = False
    scopes: dict[str, str] = field(default_factory=dict)
    """`read`, `write` or `full` by API key; every other key has `full`."""
    revoked_keys: set[str] = field(default_factory=set)
    blocked_words: set[str] = field(default_factory=set)
    """Words that make a prompt be refused with `prompt_blocked`."""
    blocked_references: set[str] = field(default_factory=set)
    balance_low_threshold: float | None = None
    failure_text: str = "Rehearsed failure: the content was not accepted."

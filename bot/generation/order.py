"""Orders of pictures: complete ones, and partial ones that last time's settings complete. Pure."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.generation.capabilities import Target, can_order
from bot.providers.base import GenerationOrder
from bot.records.dataset import Upload
from bot.records.generation import Generation, GenerationSettings, Operation, Remembered
from bot.records.guild import Channel
from bot.records.key import ProviderName
from bot.records.lora import Lora, Style

DEFAULTS = GenerationSettings()
CARRIED = (
    ("count",),
    ("aspect",),
    ("size",),
    ("width", "height"),
    ("format",),
    ("strength",),
    ("guidance",),
    ("steps",),
    ("negative",),
    ("enhance",),
    ("denoise",),
)
"""Settings taken over from last time, in groups that only make sense together. Never the seed."""
RECALLED_AFTER = timedelta(hours=1)
"""Members still know what they used before that; what is older is said before anything is ordered with it."""
OF_A_LORA_OR_STYLE = frozenset({"strength", "guidance", "steps", "denoise"})
"""Settings that were chosen for one LoRA or style: with another they start anew."""

OF_A_STYLE = ("guidance", "steps", "denoise")
"""Settings for which a style has its own."""


@dataclass(frozen=True, slots=True)
class ReferencePicture:
    """A picture that an order starts from: a file in the spool, or a recent upload at the provider.

    `size` is in bytes. An accepted order owns the file; a refused one frees it.
    """

    file: str | None
    content_type: str
    size: int
    remote_id: str | None = None
    uploaded_at: datetime | None = None
    sha256: str | None = None
    """Of the file that a member gave."""


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """A complete order. `provider` is what was asked for; a LoRA, character or style decides without it."""

    prompt: str
    settings: GenerationSettings = DEFAULTS
    lora_id: int | None = None
    style_id: int | None = None
    provider: ProviderName | None = None
    references: tuple[ReferencePicture, ...] = ()
    operation: Operation = Operation.IMAGINE
    origin_id: int | None = None
    event_id: int | None = None
    pack_index: int | None = None
    """Number of the prompt in the event's pack; None for a picture that a member asks for."""


class OrderPolicy(Protocol):
    """Extra rules of one order, for example those of an event."""

    @property
    def channel(self) -> Channel:
        """Where its pictures are posted, wherever it is ordered."""
        ...

    async def check(self, connection: AsyncConnection) -> None:
        """UserError when it may not be ordered. Called early, and again in the transaction that stores it."""
        ...


Also = Callable[[AsyncConnection, Generation, list[str]], Awaitable[None]]
"""What is done in the transaction that stores an order: takes its generation, and the hashes of given pictures."""


@dataclass(frozen=True, slots=True)
class PartialOrder:
    """What a member said. Options that `said` does not name ("lora", "style", a setting) are as last time."""

    prompt: str
    said: frozenset[str]
    lora: Lora | None = None
    style: Style | None = None
    settings: GenerationSettings = DEFAULTS
    provider: ProviderName | None = None
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an order would take over from last time, which is a while ago: the names of the options and their values."""

    names: tuple[str, ...]
    settings: GenerationSettings
    lora: Lora | None
    style: Style | None
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored order. `balance` in credits, None when unknown; `taken_over` are the options as last time.

    `is_private`: its pictures come to the member privately first. `is_secret`: only its maker gets them, until the
    votes of their event are counted.
    """

    generation: Generation
    lora: Lora | None
    style: Style | None
    balance: int | None
    taken_over: tuple[str, ...] = ()
    is_private: bool = False
    is_secret: bool = False


def with_style(target: Target, settings: GenerationSettings, reference_count: int) -> GenerationSettings:
    """The style's own settings where none were chosen for it, as far as the order takes them."""
    for name in OF_A_STYLE:
        default = None if target.style is None else getattr(target.style, name)
        if default is not None and getattr(settings, name) is None:
            filled = replace(settings, **{name: default})
            settings = filled if can_order(target, filled, reference_count) else settings
    return settings


def without_style(style: Style | None, settings: GenerationSettings) -> GenerationSettings:
    """What the member chose themselves."""
    own: dict[str, Any] = {
        name: None for name in OF_A_STYLE if style is not None and getattr(settings, name) == getattr(style, name)
    }
    return replace(settings, **own)


def without_last_time(partial: PartialOrder) -> PartialOrder:
    """The order with nothing taken over."""
    return replace(partial, said=frozenset({"lora", "style", *(name for group in CARRIED for name in group)}))


def carry_over(
    target: Target, settings: GenerationSettings, said: frozenset[str], last: Remembered, reference_count: int
) -> tuple[GenerationSettings, tuple[str, ...]]:
    """Fill gaps from last time with what the target takes; returns the settings and the names of those filled."""
    made_with = tuple(None if thing is None else thing.id for thing in (target.lora, target.style))
    anew: frozenset[str] = frozenset() if made_with == (last.lora_id, last.style_id) else OF_A_LORA_OR_STYLE
    filled: list[str] = []
    for group in CARRIED:
        values = {
            name: getattr(last.settings, name)
            for name in group
            if getattr(last.settings, name) != getattr(DEFAULTS, name)
        }
        if len(values) < len(group) or not (said | anew).isdisjoint(group):
            continue
        candidate = replace(settings, **values)
        if can_order(target, candidate, reference_count):
            settings = candidate
            filled += group
    return settings, tuple(filled)


def with_own_strength(target: Target, settings: GenerationSettings, reference_count: int) -> GenerationSettings:
    """The LoRA's own strength where none was chosen, if the order takes one."""
    if target.lora is None or target.lora.strength is None or settings.strength is not None:
        return settings
    filled = replace(settings, strength=target.lora.strength)
    return filled if can_order(target, filled, reference_count) else settings


def without_own_strength(target: Target, settings: GenerationSettings) -> GenerationSettings:
    """What the member chose themselves."""
    is_own = target.lora is not None and settings.strength == target.lora.strength
    return replace(settings, strength=None) if is_own else settings


def provider_order(
    target: Target,
    prompt: str,
    settings: GenerationSettings,
    operation: Operation,
    *,
    idempotency_key: str,
    webhook_url: str | None = None,
    references: Sequence[str] = (),
) -> GenerationOrder:
    """The order in the form that provider clients take."""
    lora, style = target.lora, target.style
    return GenerationOrder(
        prompt=prompt,
        settings=settings,
        idempotency_key=idempotency_key,
        webhook_url=webhook_url,
        lora=lora.remote_id if lora is not None and not lora.is_character else None,
        style=style.remote_id if style is not None else None,
        character=lora.remote_id if lora is not None and lora.is_character else None,
        references=tuple(references),
        operation=operation,
    )

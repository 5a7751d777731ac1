"""Ready-made styles of a guild, as they are stored here. Asks no provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import NotFound
from bot.keys.service import KeyService
from bot.loras import access
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.storage.database import Database
from bot.storage.jobs import styles
from bot.text import CHOICES_MAX, LABEL_MAX, named, search

PROVIDER = ProviderName.AUROUS
"""The one provider that has styles."""


class Order(StrEnum):
    """How the catalogue is sorted: what fits a search best and then by name, or the newest first."""

    NAME = "name"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The styles that match a search. `is_loaded`: the provider's list has been read at least once."""

    styles: Sequence[Style]
    is_loaded: bool
    order: Order = Order.NAME


class StyleService:
    def __init__(self, database: Database, key_service: KeyService) -> None:
        self._database = database
        self._keys = key_service

    async def catalogue(self, text: str, actor: Actor, order: Order = Order.NAME) -> Catalogue:
        """What /styles shows. Raises NoKey, with what an admin can do, when the guild has no working key."""
        key = await self._keys.current(actor.guild_id, PROVIDER)
        found = await self.search(text, actor)
        if order is Order.NEWEST:
            found = sorted(found, key=_newest_first)
        return Catalogue(found, is_loaded=key.checked_at is not None or bool(found), order=order)

    async def of_guild(self, actor: Actor) -> Sequence[Style]:
        """All styles of the guild by name, retired ones last."""
        known = await self._database.fetch(styles.of_guild, actor.guild_id)
        return sorted(known, key=lambda style: style.retired_at is not None)

    async def search(self, text: str, actor: Actor) -> Sequence[Style]:
        """Those whose name or description fits, best first, retired ones last."""
        known = await self.of_guild(actor)
        found = search(text, known, lambda style: style.name, lambda style: style.description)
        return sorted(found, key=lambda style: style.retired_at is not None)

    async def choices(self, text: str, actor: Actor) -> Sequence[Style]:
        """At most 25 styles that match the typed text, without retired ones."""
        return [style for style in await self.search(text, actor) if style.retired_at is None][:CHOICES_MAX]

    async def pick(self, value: str, actor: Actor) -> Style:
        """The style for an autocomplete value, or for a typed name or slug that only one has; else NotFound."""
        style_id = pick_from(value, await self.of_guild(actor))
        if style_id is None:
            raise NotFound(access.NO_STYLE)
        return await self.get_for(style_id, actor)

    async def get_for(self, style_id: int, actor: Actor) -> Style:
        """The style, if pictures can be ordered in it here; else NotFound or UserError."""
        return await self._database.fetch(access.usable_style, style_id, actor)


def _newest_first(style: Style) -> tuple[bool, bool, float]:
    """Retired ones last, before them those whose time is not known."""
    added = style.created_at
    return style.retired_at is not None, added is None, 0.0 if added is None else -added.timestamp()


def pick_from(value: str, among: Sequence[Style]) -> int | None:
    """The id of the style with this choice value, else with this name, label or slug; None unless it is the only one.

    A retired style counts only when no other has the name.
    """
    wanted = value.strip().casefold()
    for style in among:
        if wanted == choice_value(style):
            return style.id
    called = named(value, among, lambda style: (style.name, choice_label(style), style.slug or ""))
    offered = [style for style in called if style.retired_at is None] or called
    return offered[0].id if len(offered) == 1 else None


def choice_value(style: Style) -> str:
    return f"style-{style.id}"


def choice_label(style: Style) -> str:
    return style.name[:LABEL_MAX]

"""A server's key as most tests want it: its admin has chosen *no limit*, and no first pictures by themselves."""

from typing import Protocol

from bot.guilds import GuildService
from bot.keys.service import KeyService, KeyStatus
from bot.limits.service import LimitService
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.limit import LimitKind


class KeysAndLimits(Protocol):
    @property
    def keys(self) -> KeyService: ...
    @property
    def limits(self) -> LimitService: ...
    @property
    def guilds(self) -> GuildService: ...


async def set_unlimited_key(
    services: KeysAndLimits, guild_id: int, provider: ProviderName, api_key: str, *, set_by: int
) -> KeyStatus:
    status = await services.keys.set(guild_id, provider, api_key, set_by=set_by)
    if status.is_first:
        await services.guilds.choose_samples(guild_id, are_made=False)
        await services.limits.clear(Actor(guild_id, set_by, is_admin=True), LimitKind.MEMBER, None)
    return status

"""Who has left which guild, and who has which roles; everybody else is there, without any."""


class FakeMembers:
    def __init__(self) -> None:
        self.gone: set[tuple[int, int]] = set()
        self.roles: dict[int, frozenset[int]] = {}

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        return (guild_id, user_id) not in self.gone

    async def roles_of(self, guild_id: int, user_id: int) -> frozenset[int] | None:
        return None if (guild_id, user_id) in self.gone else self.roles.get(user_id, frozenset())

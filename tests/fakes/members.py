"""Who has left which guild; everybody else is there."""


class FakeMembers:
    def __init__(self) -> None:
        self.gone: set[tuple[int, int]] = set()

    async def is_member(self, guild_id: int, user_id: int) -> bool:
        return (guild_id, user_id) not in self.gone

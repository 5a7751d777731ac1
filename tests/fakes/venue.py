"""A Discord with a thread, pins and a calendar for events; implements `bot.ports.Venue`."""

from bot.ports import NotNow, ReadinessCheck
from bot.records.event import Event

THREAD_OK = ReadinessCheck("Threads", is_ok=True, is_optional=True)


class FakeVenue:
    """`checks` is what it answers to `check`; threads and calendar entries get numbers of their own."""

    def __init__(self) -> None:
        self.checks = [ReadinessCheck("Write in the channel", is_ok=True), THREAD_OK]
        self.threads: dict[int, int] = {}
        self.calendar: dict[int, int] = {}
        self.ended: list[int] = []
        self.pins: list[tuple[int, bool]] = []
        """(message id, whether it is to be pinned) as it was asked."""
        self.has_room = True
        """For pins."""
        self.roles: list[tuple[int, int, bool]] = []
        """(user id, role id, whether it is given) as it was asked."""
        self.no_roles_for: set[int] = set()
        self.is_away = False

    async def check(self, event: Event) -> list[ReadinessCheck]:
        return list(self.checks)

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        return self.threads.setdefault(event.id, message_id)

    async def set_pinned(self, guild_id: int, channel_id: int, message_id: int, *, is_pinned: bool) -> bool:
        if self.is_away:
            raise NotNow("away")
        self.pins.append((message_id, is_pinned))
        return self.has_room

    async def set_role(self, guild_id: int, user_id: int, role_id: int, *, is_given: bool) -> bool:
        if self.is_away:
            raise NotNow("away")
        self.roles.append((user_id, role_id, is_given))
        return user_id not in self.no_roles_for

    async def put_on_calendar(self, event: Event) -> int | None:
        return self.calendar.setdefault(event.id, 70_000 + event.id)

    async def end_on_calendar(self, event: Event) -> None:
        self.ended.append(event.id)

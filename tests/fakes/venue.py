"""A Discord with a thread and a calendar for events; implements `bot.ports.Venue`."""

from bot.ports import ReadinessCheck
from bot.records.event import Event

THREAD_OK = ReadinessCheck("Threads", is_ok=True, is_optional=True)


class FakeVenue:
    """`checks` is what it answers to `check`; threads and calendar entries get numbers of their own."""

    def __init__(self) -> None:
        self.checks = [ReadinessCheck("Write in the channel", is_ok=True), THREAD_OK]
        self.threads: dict[int, int] = {}
        self.calendar: dict[int, int] = {}
        self.ended: list[int] = []

    async def check(self, event: Event) -> list[ReadinessCheck]:
        return list(self.checks)

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        return self.threads.setdefault(event.id, message_id)

    async def put_on_calendar(self, event: Event) -> int | None:
        return self.calendar.setdefault(event.id, 70_000 + event.id)

    async def end_on_calendar(self, event: Event) -> None:
        self.ended.append(event.id)

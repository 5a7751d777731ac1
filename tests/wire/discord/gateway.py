"""The gateway: sessions with replay, heartbeats, compression, and everything that can go wrong with a connection."""

import asyncio
import json
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zstandard
from aiohttp import WSMsgType, web

from tests.fakes.waiting import HANG_S
from tests.wire.discord.answers import Json
from tests.wire.discord.watch import Watch, now_s
from tests.wire.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, REQUEST_MEMBERS, INVALID, HELLO, HEARTBEAT_ACK = (
    0,
    1,
    2,
    6,
    7,
    8,
    9,
    10,
    11,
)
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
ABNORMAL = 1006
"""Not sent by anyone: the connection just ends."""


def zlib_stream() -> Callable[[str], bytes]:
    packer = zlib.compressobj()
    return lambda text: packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)


def zstd_stream() -> Callable[[str], bytes]:
    packer = zstandard.ZstdCompressor().compressobj()
    return lambda text: packer.compress(text.encode()) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


PACKERS = {"zlib-stream": zlib_stream, "zstd-stream": zstd_stream}


@dataclass(eq=False)
class Connection:
    """One websocket. Frames leave through a queue so that dispatching never waits."""

    ws: web.WebSocketResponse
    request: web.Request
    pack: Callable[[str], bytes] | None
    outgoing: asyncio.Queue[Json | int] = field(default_factory=asyncio.Queue)
    """Payloads in order; a number closes the connection with that code."""
    is_ended_here: bool = False

    def send(self, op: int, data: Any = None, **more: Any) -> None:
        self.outgoing.put_nowait({"op": op, "d": data, "s": None, "t": None} | more)

    async def pump(self) -> None:
        while True:
            frame = await self.outgoing.get()
            if isinstance(frame, int):
                await self._end(frame)
                return
            text = json.dumps(frame)
            try:
                if self.pack is None:
                    await self.ws.send_str(text)
                else:
                    await self.ws.send_bytes(self.pack(text))
            except ConnectionError:
                return

    async def _end(self, code: int) -> None:
        self.is_ended_here = True
        if code != ABNORMAL:
            await self.ws.close(code=code)
        elif self.request.transport is not None:
            self.request.transport.abort()


@dataclass(eq=False)
class Session:
    id: str
    intents: int
    shard: tuple[int, int]
    log: list[Json] = field(default_factory=list)
    """Every dispatch, in order; `s` is its place plus one."""
    connection: Connection | None = None

    def dispatch(self, event: str, data: Any) -> None:
        frame = {"op": DISPATCH, "d": data, "s": len(self.log) + 1, "t": event}
        self.log.append(frame)
        if self.connection is not None:
            self.connection.outgoing.put_nowait(frame)


class Gateway:
    """Serves `/gateway` for first connects and `/gateway/resume` for resumes, which can be refused separately."""

    def __init__(self, token: str, watch: Watch) -> None:
        self._token = token
        self._watch = watch
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._world: World | None = None
        self.resume_url = ""
        self.heartbeat_interval_ms = 41_250
        self.allowed_privileged_intents = 0
        self.is_answering_heartbeats = True
        self.is_compressing = True
        """False: text frames whatever was asked for, which discord.py takes as well."""
        self.connects_to_refuse = 0
        self.resumes_to_refuse = 0
        self.identified_at: list[float] = []
        self.resumed_at: list[float] = []
        self.close_codes: list[int | None] = []
        """The codes with which clients closed."""

    def serve(self, world: World) -> None:
        self._world = world

    @property
    def connected(self) -> list[Session]:
        """Sessions whose bot is connected and has identified or resumed."""
        return [session for session in self._sessions.values() if session.connection is not None]

    async def wait_connected(self, seconds: float = HANG_S, *, identifies: int = 1) -> None:
        """A bot is connected and there have been that many identifies in all, so 2 means a second start."""
        await self._watch.until(
            lambda: self.connected and len(self.identified_at) >= identifies, "a bot at the gateway", seconds
        )

    def dispatch(self, event: str, data: Json, guild_id: int | None) -> None:
        """To every session that asked for it; those cut off get it when they resume."""
        if event == "INTERACTION_CREATE" and not self._sessions:
            raise AssertionError("no bot has a session; await gateway.wait_connected() first")
        for session in self._sessions.values():
            index, count = session.shard
            if index == (guild_id >> 22) % count if guild_id is not None else index == 0:
                self._dispatch_to(session, event, data)
        self._watch.changed()

    def _dispatch_to(self, session: Session, event: str, data: Json) -> None:
        needed = intent_of(event, in_guild="guild_id" in data)
        if needed and not session.intents & needed:
            return
        bot_id = str(self._require_world().bot.id)
        if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and not session.intents & MESSAGE_CONTENT:
            is_open = data["author"]["id"] == bot_id or "guild_id" not in data or f"<@{bot_id}>" in data["content"]
            if not is_open:
                data = data | {"content": "", "embeds": [], "components": [], "attachments": []}
        session.dispatch(event, data)

    def close_all(self, code: int) -> None:
        """Close every connection with a code; ABNORMAL (1006) cuts it. 4004 and the like end the session too."""
        if code in {4004, 4007, 4009, *range(4010, 4015)}:
            self._sessions.clear()
        for connection in self._connections:
            connection.outgoing.put_nowait(code)

    def ask_to_reconnect(self) -> None:
        for connection in self._connections:
            connection.send(RECONNECT)

    def invalidate(self, *, resumable: bool) -> None:
        if not resumable:
            self._sessions.clear()
        for connection in self._connections:
            connection.send(INVALID, resumable)

    async def handle_connect(self, request: web.Request) -> web.StreamResponse:
        if self.connects_to_refuse > 0:
            self.connects_to_refuse -= 1
            return web.Response(status=503)
        return await self._serve(request)

    async def handle_resume(self, request: web.Request) -> web.StreamResponse:
        if self.resumes_to_refuse > 0:
            self.resumes_to_refuse -= 1
            return web.Response(status=503)
        return await self._serve(request)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=1.0, max_msg_size=0)
        await ws.prepare(request)
        make_packer = PACKERS.get(request.query.get("compress", "")) if self.is_compressing else None
        connection = Connection(ws, request, make_packer() if make_packer else None)
        self._connections.add(connection)
        pump = asyncio.create_task(connection.pump())
        connection.send(HELLO, {"heartbeat_interval": self.heartbeat_interval_ms})
        try:
            async for frame in ws:
                if frame.type is WSMsgType.TEXT:
                    self._receive(connection, json.loads(frame.data))
        finally:
            pump.cancel()
            self._leave(connection)
        return ws

    def _leave(self, connection: Connection) -> None:
        """A client that closes with 1000 or 1001 gives its session up (Discord documentation, events/gateway)."""
        code = connection.ws.close_code
        self._connections.discard(connection)
        self.close_codes.append(code)
        for session in [session for session in self._sessions.values() if session.connection is connection]:
            session.connection = None
            if code in {1000, 1001} and not connection.is_ended_here:
                del self._sessions[session.id]
        self._watch.changed()

    def _receive(self, connection: Connection, frame: Json) -> None:
        op, data = frame["op"], frame["d"]
        if op == HEARTBEAT:
            if self.is_answering_heartbeats:
                connection.send(HEARTBEAT_ACK)
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif op == REQUEST_MEMBERS:
            self._answer_members(connection, data)
        self._watch.changed()

    def _identify(self, connection: Connection, data: Json) -> None:
        self.identified_at.append(now_s())
        if data["token"] != self._token:
            connection.outgoing.put_nowait(4004)
            return
        if data["intents"] & PRIVILEGED & ~self.allowed_privileged_intents:
            connection.outgoing.put_nowait(4014)
            return
        index, count = data.get("shard") or (0, 1)
        session = Session(secrets.token_hex(16), data["intents"], (index, count), connection=connection)
        self._sessions[session.id] = session
        world = self._require_world()
        guilds = [g for g in world.guilds.values() if g.has_bot and (g.id >> 22) % count == index]
        session.dispatch("READY", self._ready(session, [g.id for g in guilds]))
        for guild in guilds:
            session.dispatch("GUILD_CREATE", guild.payload(world.bot))

    def _ready(self, session: Session, guild_ids: list[int]) -> Json:
        bot = self._require_world().bot
        return {
            "v": 10,
            "user": bot.payload() | {"verified": True, "mfa_enabled": True, "email": None},
            "guilds": [{"id": str(guild_id), "unavailable": True} for guild_id in guild_ids],
            "private_channels": [],
            "relationships": [],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.resume_url,
            "shard": list(session.shard),
            "application": {"id": str(bot.id), "flags": 0},
        }

    def _resume(self, connection: Connection, data: Json) -> None:
        session = self._sessions.get(data["session_id"])
        if session is None or data["token"] != self._token:
            connection.send(INVALID, False)
            return
        self.resumed_at.append(now_s())
        for frame in session.log[data["seq"] :]:
            connection.outgoing.put_nowait(frame)
        session.connection = connection
        session.dispatch("RESUMED", {"_trace": []})

    def _answer_members(self, connection: Connection, data: Json) -> None:
        guild_id = int(data["guild_id"][0] if isinstance(data["guild_id"], list) else data["guild_id"])
        guild = self._require_world().guilds[guild_id]
        wanted = [int(user_id) for user_id in data.get("user_ids") or guild.members]
        chunk = {
            "guild_id": str(guild_id),
            "members": [guild.member_payload(guild.people[user_id]) for user_id in wanted if user_id in guild.people],
            "chunk_index": 0,
            "chunk_count": 1,
            "nonce": data.get("nonce"),
        }
        for session in self._sessions.values():
            if session.connection is connection:
                session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def _require_world(self) -> World:
        assert self._world is not None
        return self._world


def intent_of(event: str, *, in_guild: bool) -> int:
    """The intent an event needs, 0 when it needs none (Discord documentation, events/gateway: intents)."""
    if event.startswith(("GUILD_", "CHANNEL_", "THREAD_")) and event != "GUILD_MEMBERS_CHUNK":
        return GUILDS
    if event.startswith("MESSAGE_"):
        return GUILD_MESSAGES if in_guild else DIRECT_MESSAGES
    return 0

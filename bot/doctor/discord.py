"""What Discord says of the bot: who it is, its intents, its gateway, this machine's clock."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.clock import time_of_day
from bot.doctor.asking import why_not
from bot.doctor.findings import Finding, fail, ok, warn
from bot.doctor.interactions import interactions
from bot.providers.transport import Lost, NotSent, Request, Response, Transport
from cogs.adapters.inspection import USER_AGENT
from cogs.adapters.invitation import invitation

ASK_S = 8.0
CLOCK_S = 5.0
"""Discord's Date header has whole seconds, and an answer takes some."""
SESSIONS_LEFT = 20
PRIVILEGED = {"presences": 3 << 12, "server members": 3 << 14, "message content": 3 << 18}
"""Flags of an application: allowed, or allowed for a bot in few servers (Discord /docs/resources/application)."""
PORTAL = "the developer portal"


class Unanswered(Exception):
    """Discord gave no answer that can be used: `words` say why, `what_to_do` what to do."""

    def __init__(self, words: str, what_to_do: str, status: int | None = None) -> None:
        super().__init__(words)
        self.words, self.what_to_do, self.status = words, what_to_do, status


@dataclass(frozen=True, slots=True)
class DiscordApi:
    """Discord's REST API under the bot's token. `address` ends in /api/v10."""

    transport: Transport
    address: str
    token: str

    async def get(self, path: str) -> Any:
        """The JSON of an answer; Unanswered without one."""
        return json.loads((await self.ask(path)).body)

    async def ask(self, path: str) -> Response:
        headers = {"Authorization": f"Bot {self.token}", "User-Agent": USER_AGENT}
        request = Request("GET", f"{self.address}{path}", headers, read_timeout_s=ASK_S, deadline_s=ASK_S)
        try:
            answer = await self.transport.send(request)
        except (NotSent, Lost) as error:
            words, what_to_do = why_not(error)
            raise Unanswered(f"Discord was not reached. {words}", what_to_do) from error
        if answer.status == 200 and answer.headers.get("content-type", "").startswith("application/json"):
            return answer
        raise Unanswered(*_refusal(answer), status=answer.status)


def _refusal(answer: Response) -> tuple[str, str]:
    match answer.status:
        case 401:
            return "Discord does not accept DISCORD_TOKEN.", f"Copy the bot token again from {PORTAL}, under Bot."
        case 429:
            return "Discord asks this address to wait.", "Run `doctor` again in some minutes."
        case status if status >= 500:
            return f"Discord is not well (status {status}).", "Try again later; discordstatus.com may say more."
    return f"Something between here and Discord answers (status {answer.status}).", "Check proxy and firewall."


def shape_of(token: str | None) -> Finding | None:
    """What is wrong with the token as it was written; None when Discord can be asked."""
    name = "token"
    if not token:
        return fail(name, "DISCORD_TOKEN is not set.", f"Put the bot token into it: {PORTAL}, under Bot, Reset Token.")
    if token.lower().startswith("bot "):
        return fail(name, "DISCORD_TOKEN begins with “Bot ”.", "Leave that word out: the token alone is needed.")
    if not token.isascii() or any(letter.isspace() or letter in "\"'" for letter in token):
        return fail(name, "DISCORD_TOKEN has quotes or spaces in it.", "Leave them out: the token alone is needed.")
    return None


async def identity(api: DiscordApi) -> tuple[Sequence[Finding], str | None]:
    """Who the bot is, whether the clock is right, and the bot's id; None when Discord does not say."""
    asked_at = time_of_day()
    try:
        answer = await api.ask("/users/@me")
    except Unanswered as error:
        return [fail("token", error.words, error.what_to_do)], None
    bot: Mapping[str, Any] = json.loads(answer.body)
    who = ok("token", f"The bot is {bot['username']} (id {bot['id']}).")
    return [who, *clock(answer.headers.get("date", ""), asked_at, time_of_day())], str(bot["id"])


def clock(date: str, asked_at: datetime, answered_at: datetime) -> Sequence[Finding]:
    """This machine's clock against the Date header of an answer; nothing without one."""
    try:
        theirs = parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return []
    ahead = (asked_at - theirs).total_seconds() if asked_at > theirs else -(theirs - answered_at).total_seconds()
    if asked_at <= theirs <= answered_at or abs(ahead) <= CLOCK_S:
        return [ok("clock", "It agrees with Discord's.")]
    way = "ahead of" if ahead > 0 else "behind"
    off = f"It is {abs(ahead):.0f} seconds {way} Discord's."
    return [warn("clock", off, "Let the system set it by NTP: deadlines and signatures go by it.")]


async def application(api: DiscordApi, public_key: str | None, public_url: str | None) -> Sequence[Finding]:
    """What the portal has set; `public_key` and `public_url` are the settings of these names."""
    try:
        about: Mapping[str, Any] = await api.get("/applications/@me")
    except Unanswered as error:
        return [fail("application", error.words, error.what_to_do)]
    flags = int(about.get("flags") or 0)
    allowed = [name for name, bits in PRIVILEGED.items() if flags & bits]
    spare = f" Allowed in {PORTAL} and never asked for: {', '.join(allowed)}." if allowed else ""
    found = [
        *interactions(about, public_key, public_url),
        ok("intents", f"None that is privileged is needed.{spare}"),
        ok("install link", invitation(int(about["id"]))),
    ]
    if about.get("bot_require_code_grant"):
        closed = "It requires an OAuth2 code grant, so nobody can invite it by the link."
        found.append(fail("application", closed, f"Switch that off in {PORTAL}, under Bot."))
    return found


async def gateway(api: DiscordApi) -> Sequence[Finding]:
    name = "gateway"
    try:
        about: Mapping[str, Any] = await api.get("/gateway/bot")
    except Unanswered as error:
        return [fail(name, error.words, error.what_to_do)]
    url = "http" + str(about["url"]).removeprefix("ws")
    host = url.partition("://")[2].partition("/")[0]
    try:
        await api.transport.send(Request("GET", url, read_timeout_s=ASK_S, deadline_s=ASK_S))
    except (NotSent, Lost) as error:
        words, what_to_do = why_not(error)
        return [fail(name, f"{host}: {words}", what_to_do)]
    limit = about["session_start_limit"]
    left, total = limit["remaining"], limit["total"]
    if left < min(SESSIONS_LEFT, total):
        hours = -(-int(limit["reset_after"]) // 3_600_000)
        few = f"Only {left} of {total} starts are left for the next {hours} hours; then Discord resets the token."
        return [warn(name, few, "Find out what starts the bot so often, and stop that first.")]
    return [ok(name, f"{host} answers; {left} of {total} starts are left today.")]

"""Who a message would notify, from its text and the allowed_mentions it was sent with."""

import re

from tests.wire.discord.components import TEXT_DISPLAY, walk
from tests.wire.discord.messages import StoredMessage

EVERYONE = re.compile(r"@(everyone|here)")
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")


def pinged(message: StoredMessage) -> set[str]:
    """ "everyone", "user:<id>" and "role:<id>". Embeds notify nobody; without allowed_mentions an ordinary message
    parses everything and an interaction's answer users only (Discord documentation, resources/message)."""
    shown = [part["content"] for part in walk(message.components) if part["type"] == TEXT_DISPLAY]
    text = "\n".join([message.content, *shown])
    default = ["users"] if message.interaction is not None else ["everyone", "users", "roles"]
    allowed = message.allowed_mentions if message.allowed_mentions is not None else {"parse": default}
    parsed = allowed.get("parse") or []
    listed = {key: {str(wanted) for wanted in allowed.get(key) or []} for key in ("users", "roles")}
    found = {"everyone"} if "everyone" in parsed and EVERYONE.search(text) else set()
    found |= {f"user:{one}" for one in USER.findall(text) if "users" in parsed or one in listed["users"]}
    return found | {f"role:{one}" for one in ROLE.findall(text) if "roles" in parsed or one in listed["roles"]}

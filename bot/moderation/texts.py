"""Every text that members give passes here: prompts, names, themes, packs, what is said about a person."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UserError
from bot.moderation.explicit import EXPLICIT
from bot.moderation.rules import holds_word
from bot.storage import guilds

REFUSED = "A word in this is not used in this server. Please say it in another way."
NOTHING_EXPLICIT = "Explicit pictures are not made in this server. Please describe something else."
NOT_EXPLICIT_HERE = (
    "Explicit pictures are made only in this server's age-restricted channels. "
    "Please ask there, or describe something else."
)


async def check_text(
    connection: AsyncConnection,
    guild_id: int,
    *texts: str | None,
    negative: str | None = None,
    is_age_restricted: bool = False,
) -> None:
    """UserError when one of the texts holds a word of the server's list, or an explicit one where none is allowed.

    `negative`: what a picture shall not show, so explicit words may be in it. `is_age_restricted`: the texts are for a
    picture that is posted in an age-restricted channel.
    """
    guild = await guilds.get(connection, guild_id)
    words = (guild.words if guild is not None else None) or ()
    if any(holds_word(words, text) for text in (*texts, negative) if text):
        raise UserError(REFUSED)
    is_allowed = guild is not None and guild.is_adult_allowed
    if not (is_allowed and is_age_restricted) and any(is_explicit(text) for text in texts if text):
        raise UserError(NOT_EXPLICIT_HERE if is_allowed else NOTHING_EXPLICIT)


async def shown_name(connection: AsyncConnection, guild_id: int, name: str) -> str:
    """The name of a file as others may read it: without a word that is refused here."""
    try:
        await check_text(connection, guild_id, name.rpartition(".")[0] or name)
    except UserError:
        return "photo"
    return name


def is_explicit(text: str) -> bool:
    """Whether a picture of this is for age-restricted channels."""
    return holds_word(EXPLICIT, text)

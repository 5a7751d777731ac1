"""Words of other people - members, providers - as a code span, in which nothing comes alive. Pure."""


def quote(text: str, limit: int = 100) -> str:
    """What somebody else wrote, within `limit` characters: no mention, link, emoji or formatting in it comes alive."""
    flat = " ".join(text.replace("`", "ˋ").split()) or " "
    return f"`{flat if len(flat) <= limit else flat[: limit - 1] + '…'}`"

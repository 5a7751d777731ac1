"""Small copies of pictures, beside the words about them."""

from collections.abc import Mapping
from pathlib import Path

import discord

from bot.errors import FileDamaged
from bot.photos.pool import PhotoPool
from cogs.ui.layout import Layout, Text
from cogs.ui.replies import File

THUMBNAIL_BYTES = 60_000


async def small_copies(pool: PhotoPool, wanted: Mapping[str, Path], limit: int = THUMBNAIL_BYTES) -> list[File]:
    """A JPEG of each picture, by the name of the file; those that are gone meanwhile are left out."""
    files = []
    for name, path in wanted.items():
        try:
            files.append((name, await pool.smaller_copy(path, limit)))
        except (FileDamaged, FileNotFoundError):
            continue
    return files


def beside(text: str, url: str | None, alt: str) -> discord.ui.Item[Layout]:
    """The words, with the picture at this address beside them if there is one."""
    shown: Text[Layout] = Text(text)
    if url is None:
        return shown
    return discord.ui.Section[Layout](shown, accessory=discord.ui.Thumbnail[Layout](url, description=alt))

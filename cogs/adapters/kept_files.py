"""Files that stay in a message when it is edited."""

import posixpath
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import discord

from cogs.ui.layout import shown_media

REFERENCE = "attachment://"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What discord.py needs to know of a file to keep it: the message has it, so nothing is uploaded."""

    id: int
    filename: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "filename": self.filename}


def named_files(view: discord.ui.LayoutView) -> frozenset[str]:
    """The names of the files that a card shows."""
    shown = [
        item.media for part in view.walk_children() if isinstance(part, discord.ui.MediaGallery) for item in part.items
    ]
    shown += [part.media for part in view.walk_children() if isinstance(part, discord.ui.File)]
    return frozenset(media.url.removeprefix(REFERENCE) for media in shown if media.url.startswith(REFERENCE))


def kept_files(
    attachments: Iterable[discord.Attachment], components: Iterable[discord.Component], names: Collection[str]
) -> list[KeptFile]:
    """The files of a message with these names, each once.

    Discord leaves files that a component shows out of a message's attachments; then the component has their ids.
    """
    shown = {each.attachment_id: _name_of(each.url) for each in shown_media(components) if each.attachment_id}
    there = shown | {file.id: file.filename for file in attachments}
    return [KeptFile(file_id, name) for file_id, name in there.items() if name in names]


def _name_of(url: str) -> str:
    return unquote(posixpath.basename(urlsplit(url).path))

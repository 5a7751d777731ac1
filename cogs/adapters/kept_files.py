"""Files that stay in a message when it is edited."""

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import discord

_NAME = re.compile(r'"attachment://([^"]+)"')


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What discord.py needs to know of a file to keep it: the message has it, so nothing is uploaded."""

    id: int
    filename: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "filename": self.filename}


def named_files(view: discord.ui.LayoutView) -> frozenset[str]:
    """The names of the files that a card shows."""
    return frozenset(_NAME.findall(json.dumps(view.to_components())))


def kept_files(
    attachments: Iterable[discord.Attachment], components: Iterable[discord.Component], names: Collection[str]
) -> list[KeptFile]:
    """The files of a message with these names, each once.

    Discord leaves files that a component shows out of a message's attachments; then the component has their ids.
    """
    there = {file.id: file.filename for file in attachments}
    shown = _media(components)
    there |= {media.attachment_id: _name_of(media.url) for media in shown if media.attachment_id is not None}
    return [KeptFile(file_id, name) for file_id, name in there.items() if name in names]


def _name_of(url: str) -> str:
    return unquote(posixpath.basename(urlsplit(url).path))


def _media(components: Iterable[discord.Component]) -> Iterator[discord.UnfurledMediaItem]:
    for component in components:
        children = component.children if isinstance(component, discord.components.Container) else [component]
        for child in children:
            if isinstance(child, discord.components.MediaGalleryComponent):
                yield from (item.media for item in child.items)

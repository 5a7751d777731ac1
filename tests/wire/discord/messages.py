"""Stored messages: what create, edit and delete leave behind, and the memory of nonces."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.wire.discord.answers import Json, SentFile, refuse
from tests.wire.discord.components import (
    BUTTON,
    EPHEMERAL_FLAG,
    LOADING_FLAG,
    V2_FLAG,
    check_message,
    embed_media,
    media_of,
    numbered,
    visible_texts,
    walk,
)
from tests.wire.discord.files import FileStore, StoredFile
from tests.wire.discord.watch import now_s
from tests.wire.discord.world import Channel, Person, Snowflakes, timestamp

SETTABLE_FLAGS = (1 << 2) | EPHEMERAL_FLAG | (1 << 12) | V2_FLAG


@dataclass(eq=False)
class StoredMessage:
    """A message as it stands now; `files` are all its files, shown by components or not."""

    id: int
    channel: Channel
    author: Person
    type: int = 0
    content: str = ""
    text: str = ""
    """Everything that can be read in it."""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    allowed_mentions: Json | None = None
    """As the bot sent it; None means Discord's default."""
    reference: Json | None = None
    interaction: Json | None = None
    """The interaction_metadata of a response."""
    webhook_id: int | None = None
    sent_at: str = field(default_factory=timestamp)
    edited_at: str | None = None
    edits: int = 0
    is_deleted: bool = False

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL_FLAG)

    @property
    def is_loading(self) -> bool:
        """Shows "thinking": deferred and not answered yet."""
        return bool(self.flags & LOADING_FLAG)

    @property
    def labels(self) -> list[str]:
        """Labels of its buttons that can be pressed, in reading order."""
        buttons = [part for part in walk(self.components) if part["type"] == BUTTON and not part.get("disabled")]
        return [button["label"] for button in buttons if button.get("label")]


class MessageStore:
    """All messages ever stored. Nonces are remembered per channel and author for `nonce_memory_seconds`."""

    def __init__(self, snowflakes: Snowflakes, files: FileStore) -> None:
        self._snowflakes = snowflakes
        self._files = files
        self._messages: dict[int, StoredMessage] = {}
        self._nonces: dict[tuple[int, int, str], tuple[float, StoredMessage]] = {}
        self.nonce_memory_seconds = 120.0

    def in_channel(self, channel: Channel) -> list[StoredMessage]:
        """What the channel's history shows, oldest first; ephemeral messages are not part of it."""
        return [m for m in self._messages.values() if m.channel is channel and not m.is_deleted and not m.is_ephemeral]

    def find(self, message_id: int) -> StoredMessage:
        message = self._messages.get(message_id)
        if message is None or message.is_deleted:
            raise refuse(10008)
        return message

    def find_in_history(self, channel: Channel, message_id: int) -> StoredMessage:
        message = self.find(message_id)
        if message.channel is not channel or message.is_ephemeral:
            raise refuse(10008)
        return message

    def repeated(self, channel: Channel, author: Person, body: Json) -> StoredMessage | None:
        """The earlier message of an enforced nonce; 10008 when that message was deleted since."""
        nonce = body.get("nonce")
        if nonce is None or not body.get("enforce_nonce"):
            return None
        said_at, message = self._nonces.get((channel.id, author.id, str(nonce)), (0.0, None))
        if message is None or now_s() - said_at > self.nonce_memory_seconds:
            return None
        if message.is_deleted:
            raise refuse(10008)
        return message

    def create(self, channel: Channel, author: Person, body: Json, sent: Sequence[SentFile] = ()) -> StoredMessage:
        message = StoredMessage(self._snowflakes.make(), channel, author)
        nonce = body.get("nonce")
        if len(str(nonce or "")) > 25:
            raise refuse(50035, "nonce must be 25 or fewer in length")
        message.nonce = nonce
        message.reference = body.get("message_reference")
        self.apply(message, body, sent)
        self._messages[message.id] = message
        if nonce is not None:
            self._nonces[channel.id, author.id, str(nonce)] = (now_s(), message)
        return message

    def create_loading(self, channel: Channel, author: Person, flags: int) -> StoredMessage:
        message = StoredMessage(self._snowflakes.make(), channel, author)
        message.flags = (flags & EPHEMERAL_FLAG) | LOADING_FLAG
        self._messages[message.id] = message
        return message

    def edit(self, message: StoredMessage, body: Json, sent: Sequence[SentFile] = ()) -> None:
        """Files not listed in `attachments` go when that list is given (Discord documentation, reference: edits)."""
        if message.flags & V2_FLAG and body.get("flags") is not None and not body["flags"] & V2_FLAG:
            raise refuse(50035, "the Components V2 flag cannot be removed")
        self.apply(message, body, sent)
        message.flags &= ~LOADING_FLAG
        message.edited_at = timestamp()
        message.edits += 1

    def apply(self, message: StoredMessage, body: Json, sent: Sequence[SentFile]) -> None:
        """Check everything first, then change the message."""
        flags = message.flags | ((body.get("flags") or 0) & SETTABLE_FLAGS)
        content = (body["content"] or "") if "content" in body else message.content
        embeds = (body["embeds"] or []) if "embeds" in body else message.embeds
        components = numbered(body["components"] or []) if "components" in body else message.components
        check_message(content, embeds, components, is_v2=bool(flags & V2_FLAG))
        kept, listed = self._listed(message, body)
        if not (content or embeds or components or kept or sent or body.get("poll")):
            raise refuse(50006)
        by_name = {file.name: file for file in kept}
        made = [self._keep_sent(message, file, listed, ephemeral=bool(flags & EPHEMERAL_FLAG)) for file in sent]
        by_name |= {file.name: file for file in made}
        embeds = [dict(embed) for embed in embeds]
        self._resolve_names(components, embeds, by_name)
        message.flags, message.content, message.embeds = flags, content, embeds
        message.components, message.files = components, kept + made
        message.text = "\n".join(visible_texts(content, embeds, components))
        if "allowed_mentions" in body:
            message.allowed_mentions = body["allowed_mentions"]

    def _listed(self, message: StoredMessage, body: Json) -> tuple[list[StoredFile], dict[int, Json]]:
        """Files that stay, and the entries that describe new ones by their index."""
        entries = body.get("attachments")
        if entries is None:
            return list(message.files), {}
        own = {file.id: file for file in message.files}
        kept = [own[int(entry["id"])] for entry in entries if int(entry["id"]) in own]
        return kept, {int(entry["id"]): entry for entry in entries if int(entry["id"]) not in own}

    def _keep_sent(
        self, message: StoredMessage, sent: SentFile, listed: dict[int, Json], ephemeral: bool
    ) -> StoredFile:
        entry = listed.get(sent.index, {})
        name = entry.get("filename") or sent.name
        file = self._files.keep(name, sent.content, message.channel.id, is_ephemeral=ephemeral)
        file.description = entry.get("description")
        return file

    def _resolve_names(self, components: list[Json], embeds: list[Json], by_name: dict[str, StoredFile]) -> None:
        for part in walk(components):
            for media in media_of(part):
                self._resolve(media, "url", by_name, is_component=True)
        for embed in embeds:
            for key in ("image", "thumbnail", "video"):
                if isinstance(embed.get(key), dict):
                    embed[key] = dict(embed[key])
        for media in embed_media(embeds):
            self._resolve(media, "icon_url" if "icon_url" in media else "url", by_name, is_component=False)

    def _resolve(self, media: Json, key: str, by_name: dict[str, StoredFile], *, is_component: bool) -> None:
        url = media.get(key) or ""
        if not url.startswith("attachment://"):
            return
        file = by_name.get(url.removeprefix("attachment://"))
        if file is None:
            raise refuse(50035, f"{url} names no file of this message")
        if is_component:
            media |= self._files.media_payload(file) | {"attachment_id": str(file.id), "loading_state": 2}
        else:
            media[key] = self._files.url(file)

    def payload(self, message: StoredMessage) -> Json:
        """Files named by a component or embed are absent from `attachments`, as on Discord (docs#8279)."""
        named = {media.get("url") for part in walk(message.components) for media in media_of(part)}
        named |= {media.get("url") or media.get("icon_url") for media in embed_media(message.embeds)}
        shown = [file for file in message.files if self._files.url(file) not in named]
        made: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel.id),
            "author": message.author.payload(),
            "type": message.type,
            "content": message.content,
            "embeds": message.embeds,
            "components": message.components,
            "attachments": [self._files.payload(file) for file in shown],
            "flags": message.flags,
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "timestamp": message.sent_at,
            "edited_timestamp": message.edited_at,
        }
        if message.nonce is not None:
            made["nonce"] = message.nonce
        if message.interaction is not None:
            made |= {"interaction_metadata": message.interaction, "application_id": str(message.author.id)}
        if message.webhook_id is not None:
            made["webhook_id"] = str(message.webhook_id)
        if message.reference is not None:
            made["message_reference"] = message.reference
        return made

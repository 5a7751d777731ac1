"""REST routes of interactions: the callback, the original response and follow-ups. The token is the credential."""

from tests.wire.discord.answers import Answer, Call, Json, RouteTable, refuse
from tests.wire.discord.components import EPHEMERAL_FLAG, LOADING_FLAG, check_modal
from tests.wire.discord.files import check_sizes
from tests.wire.discord.interactions import CallbackKind, InteractionHandle, InteractionKind
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.state import State

ALLOWED_CALLBACKS = {
    InteractionKind.COMMAND: {CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE, CallbackKind.MODAL},
    InteractionKind.COMPONENT: set(CallbackKind) - {CallbackKind.CHOICES},
    InteractionKind.AUTOCOMPLETE: {CallbackKind.CHOICES},
    InteractionKind.MODAL_SUBMIT: set(CallbackKind) - {CallbackKind.CHOICES, CallbackKind.MODAL},
}
UPDATES = {CallbackKind.UPDATE, CallbackKind.DEFERRED_UPDATE}


class InteractionRoutes:
    def __init__(self, state: State) -> None:
        self.state = state

    def table(self) -> RouteTable:
        base = "/webhooks/{webhook_id}/{webhook_token}"
        return [
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self.answer),
            ("POST", base, self.follow_up),
            ("GET", base + "/messages/@original", self.get_original),
            ("PATCH", base + "/messages/@original", self.edit_original),
            ("DELETE", base + "/messages/@original", self.delete_original),
            ("GET", base + "/messages/{message_id}", self.get_follow_up),
            ("PATCH", base + "/messages/{message_id}", self.edit_follow_up),
            ("DELETE", base + "/messages/{message_id}", self.delete_follow_up),
        ]

    def answer(self, call: Call) -> Answer:
        handle = self.state.interactions.for_callback(call.number("interaction_id"), call.params["interaction_token"])
        kinds = {int(kind): kind for kind in CallbackKind}
        kind = kinds.get(call.json.get("type", 0))
        if kind is None or kind not in ALLOWED_CALLBACKS[handle.kind]:
            raise refuse(50035, f"callback type {call.json.get('type')} does not answer this interaction")
        if kind in UPDATES and handle.source is None:
            raise refuse(50035, "there is no message to update")
        data = call.json.get("data") or {}
        check_sizes([len(file.content) for file in call.files], handle.attachment_size_limit, call.size)
        self._take_effect(handle, kind, data, call)
        self.state.interactions.acknowledge(handle, kind, data)
        if call.query.get("with_response") not in {"1", "true"}:
            return Answer(204)
        return Answer(200, self._described(handle, kind))

    def _take_effect(self, handle: InteractionHandle, kind: CallbackKind, data: Json, call: Call) -> None:
        bot = self.state.world.bot
        if kind is CallbackKind.MODAL:
            check_modal(data)
        elif kind is CallbackKind.MESSAGE:
            message = self.state.messages.create(handle.channel, bot, data, call.files)
            self._adopt(handle, message)
        elif kind is CallbackKind.DEFERRED_MESSAGE:
            message = self.state.messages.create_loading(handle.channel, bot, data.get("flags") or 0)
            self._adopt(handle, message)
        elif kind in UPDATES:
            assert handle.source is not None
            if kind is CallbackKind.UPDATE:
                self.state.messages.edit(handle.source, data, call.files)
                self.state.announce_message("MESSAGE_UPDATE", handle.source)
            handle.original_message = handle.source

    def _adopt(self, handle: InteractionHandle, message: StoredMessage) -> None:
        """Message types: 20 answers a command or its modal, 19 (a reply) a component."""
        message.type = 20 if handle.source is None else 19
        message.interaction, message.webhook_id = handle.metadata, self.state.world.bot.id
        handle.original_message = message
        self.state.announce_message("MESSAGE_CREATE", message)

    def _described(self, handle: InteractionHandle, kind: CallbackKind) -> Json:
        described: Json = {"id": str(handle.id), "type": int(handle.kind)}
        message = handle.original_message
        if message is not None:
            described |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.is_loading,
                "response_message_ephemeral": message.is_ephemeral,
            }
        answered: Json = {"interaction": described}
        if message is not None and kind is not CallbackKind.DEFERRED_UPDATE:
            answered["resource"] = {"type": int(kind), "message": self.state.messages.payload(message)}
        return answered

    def follow_up(self, call: Call) -> Answer:
        """The first one after a deferred response fills that response in, keeping its ephemeral state."""
        handle = self._handle(call)
        check_sizes([len(file.content) for file in call.files], handle.attachment_size_limit, call.size)
        waiting = handle.original_message
        if waiting is not None and waiting.is_loading and not waiting.is_deleted:
            body = call.json | {"flags": (call.json.get("flags") or 0) & ~EPHEMERAL_FLAG}
            self._edit(waiting, body, call)
            return Answer(200, self.state.messages.payload(waiting))
        body = {key: part for key, part in call.json.items() if key not in {"nonce", "enforce_nonce"}}
        message = self.state.messages.create(handle.channel, self.state.world.bot, body, call.files)
        message.interaction, message.webhook_id = handle.metadata, self.state.world.bot.id
        handle.followups.append(message)
        self.state.announce_message("MESSAGE_CREATE", message)
        return Answer(200, self.state.messages.payload(message)) if call.query.get("wait") else Answer(204)

    def get_original(self, call: Call) -> Answer:
        return Answer(200, self.state.messages.payload(self._original(call)))

    def edit_original(self, call: Call) -> Answer:
        message = self._original(call)
        check_sizes([len(file.content) for file in call.files], self._handle(call).attachment_size_limit, call.size)
        self._edit(message, call.json, call)
        return Answer(200, self.state.messages.payload(message))

    def delete_original(self, call: Call) -> Answer:
        return self._delete(self._original(call))

    def get_follow_up(self, call: Call) -> Answer:
        return Answer(200, self.state.messages.payload(self._follow_up(call)))

    def edit_follow_up(self, call: Call) -> Answer:
        message = self._follow_up(call)
        check_sizes([len(file.content) for file in call.files], self._handle(call).attachment_size_limit, call.size)
        self._edit(message, call.json, call)
        return Answer(200, self.state.messages.payload(message))

    def delete_follow_up(self, call: Call) -> Answer:
        return self._delete(self._follow_up(call))

    def _edit(self, message: StoredMessage, body: Json, call: Call) -> None:
        was_loading = message.flags & LOADING_FLAG
        self.state.messages.edit(message, body, call.files)
        if was_loading:
            message.edited_at = None
        self.state.announce_message("MESSAGE_UPDATE", message)

    def _delete(self, message: StoredMessage) -> Answer:
        message.is_deleted = True
        self.state.announce_message("MESSAGE_DELETE", message)
        return Answer(204)

    def _handle(self, call: Call) -> InteractionHandle:
        return self.state.interactions.for_webhook(call.number("webhook_id"), call.params["webhook_token"])

    def _original(self, call: Call) -> StoredMessage:
        message = self._handle(call).original_message
        if message is None or message.is_deleted:
            raise refuse(10008)
        return message

    def _follow_up(self, call: Call) -> StoredMessage:
        handle = self._handle(call)
        wanted = call.number("message_id")
        own = [*handle.followups, *([handle.original_message] if handle.original_message else [])]
        for message in own:
            if message.id == wanted and not message.is_deleted:
                return message
        raise refuse(10008)

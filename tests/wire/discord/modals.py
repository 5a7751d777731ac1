"""Filling in a modal as a person would: by label or custom id, within the limits the client enforces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.wire.discord.answers import Json
from tests.wire.discord.components import LABEL, SELECTS, walk
from tests.wire.discord.files import FileStore

Upload: TypeAlias = tuple[str, bytes]
"""A file's name and content."""
Filling: TypeAlias = str | bool | Upload | Sequence[Upload] | Sequence[str]

TEXT_INPUT, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 4, 19, 21, 22, 23
INPUTS = {TEXT_INPUT, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX} | SELECTS


class NotSubmittable(AssertionError):
    """Discord's client would keep the person from pressing Submit."""


@dataclass(frozen=True, slots=True)
class FilledModal:
    components: list[Json]
    attachments: dict[str, Json]


def fill_modal(modal: Json, values: Mapping[str, Filling], files: FileStore, channel_id: int) -> FilledModal:
    left = dict(values)
    attachments: dict[str, Json] = {}
    filled = [_fill_top(part, left, attachments, files, channel_id) for part in modal["components"]]
    if left:
        raise LookupError(f"the modal {modal['title']!r} has no {sorted(left)}; it has {input_names(modal)}")
    return FilledModal(filled, attachments)


def input_names(modal: Json) -> list[str]:
    labelled = [part["label"] for part in walk(modal["components"]) if part["type"] == LABEL]
    return labelled or [part["custom_id"] for part in walk(modal["components"]) if part["type"] in INPUTS]


def _fill_top(part: Json, left: dict[str, Filling], attachments: Json, files: FileStore, channel_id: int) -> Json:
    if part["type"] == LABEL:
        inner = _fill_input(part["component"], part["label"], left, attachments, files, channel_id)
        return {"type": LABEL, "id": part.get("id", 0), "component": inner}
    if part["type"] == 1:
        inners = [
            _fill_input(inner, inner.get("label") or "", left, attachments, files, channel_id)
            for inner in part["components"]
        ]
        return {"type": 1, "id": part.get("id", 0), "components": inners}
    return {"type": part["type"], "id": part.get("id", 0)}


def _fill_input(
    part: Json, label: str, left: dict[str, Filling], attachments: Json, files: FileStore, channel_id: int
) -> Json:
    custom_id = part["custom_id"]
    key = label if label in left else custom_id
    given: Any = left.pop(key, None)
    base = {"type": part["type"], "id": part.get("id", 0), "custom_id": custom_id}
    if part["type"] == TEXT_INPUT:
        return base | {"value": _text(part, label, given)}
    if part["type"] == CHECKBOX:
        return base | {"value": bool(part.get("default")) if given is None else bool(given)}
    if part["type"] == RADIO:
        chosen = _chosen(part, label, [] if given is None else [given])
        return base | {"value": chosen[0] if chosen else None}
    if part["type"] == FILE_UPLOAD:
        uploads = [given] if isinstance(given, tuple) else list(given or [])
        _check_count(part, label, len(uploads))
        kept = [files.keep(name, content, channel_id, is_ephemeral=True) for name, content in uploads]
        attachments |= {str(file.id): files.payload(file) for file in kept}
        return base | {"values": [str(file.id) for file in kept]}
    return base | {"values": _chosen(part, label, [given] if isinstance(given, str) else list(given or []))}


def _text(part: Json, label: str, given: Any) -> str:
    text = str(part.get("value") or "") if given is None else str(given)
    if not text and part.get("required") is not False:
        raise NotSubmittable(f"{label!r} is required")
    longest = part.get("max_length") or 4000
    if text and not (part.get("min_length") or 0) <= len(text) <= longest:
        raise NotSubmittable(f"{label!r} takes {part.get('min_length') or 0} to {longest} characters, not {len(text)}")
    return text


def _chosen(part: Json, label: str, wanted: list[str]) -> list[str]:
    """Option values, given by their value or their label; the defaults when nothing was chosen."""
    options = part.get("options")
    if options is None:
        _check_count(part, label, len(wanted))
        return wanted
    by_name = {option["label"]: option["value"] for option in options}
    by_name |= {option["value"]: option["value"] for option in options}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise LookupError(f"{label!r} offers {list(by_name)}, not {unknown}")
    chosen = [by_name[name] for name in wanted] or [option["value"] for option in options if option.get("default")]
    if part["type"] == RADIO:
        if not chosen and part.get("required") is not False:
            raise NotSubmittable(f"{label!r} is required")
        return chosen
    _check_count(part, label, len(chosen))
    return chosen


def _check_count(part: Json, label: str, count: int) -> None:
    is_required = part.get("required") is not False
    if count == 0 and not is_required:
        return
    fewest = max(1, part.get("min_values") or 1) if is_required else part.get("min_values") or 0
    most = part.get("max_values") or 1
    if not fewest <= count <= most:
        raise NotSubmittable(f"{label!r} takes {fewest} to {most}, not {count}")

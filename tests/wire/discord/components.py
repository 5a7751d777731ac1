"""Message components as trees of JSON: walking, finding by label, files they name, and the rules Discord applies."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from tests.wire.discord.answers import Json, refuse

V2_FLAG = 1 << 15
EPHEMERAL_FLAG = 1 << 6
LOADING_FLAG = 1 << 7
BUTTON, SECTION, TEXT_DISPLAY, LABEL, LINK_STYLE = 2, 9, 10, 18, 5
SELECTS = {3, 5, 6, 7, 8}


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Every component of the trees, parents before children."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for key in ("component", "accessory"):
            if component.get(key):
                yield from walk([component[key]])


def media_of(component: Json) -> Iterator[Json]:
    """The unfurled-media objects a component shows (thumbnail, file, gallery items)."""
    for key in ("media", "file"):
        if isinstance(component.get(key), dict):
            yield component[key]
    for item in component.get("items") or []:
        yield item["media"]


def embed_media(embeds: Sequence[Json]) -> Iterator[Json]:
    for embed in embeds:
        for key in ("image", "thumbnail", "video"):
            if isinstance(embed.get(key), dict):
                yield embed[key]
        for key in ("author", "footer"):
            part = embed.get(key) or {}
            if "icon_url" in part:
                yield part


def find_pressable(components: Sequence[Json], target: str, kinds: set[int]) -> Json:
    """The one component of those kinds with this custom id, label (or its beginning) or placeholder."""
    candidates = [part for part in walk(components) if part["type"] in kinds]
    for matches in (
        [part for part in candidates if part.get("custom_id") == target],
        [part for part in candidates if target in (part.get("label"), part.get("placeholder"))],
        [part for part in candidates if (part.get("label") or part.get("placeholder") or "").startswith(target)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise LookupError(f"{len(matches)} components are called {target!r}")
    names = [part.get("label") or part.get("placeholder") or part.get("custom_id") for part in candidates]
    raise LookupError(f"nothing to press is called {target!r}; there are {names}")


def numbered(components: Sequence[Json]) -> list[Json]:
    """A copy in which every component has an id: its own, or for none and 0 the next number that nobody has."""
    made = copy.deepcopy(list(components))
    taken = {part["id"] for part in walk(made) if part.get("id")}
    following = 1
    for part in walk(made):
        if not part.get("id"):
            while following in taken:
                following += 1
            part["id"] = following
            taken.add(following)
    return made


def check_message(content: str, embeds: Sequence[Json], components: Sequence[Json], *, is_v2: bool) -> None:
    """Rules the OpenAPI document cannot say; 50035 with a sentence when one is broken."""
    if is_v2 and (content or embeds):
        raise refuse(50035, "content and embeds cannot be used with Components V2")
    if len(content) > 2000:
        raise refuse(50035, "content must be 2000 or fewer in length")
    if sum(len(text) for text in embed_texts(embeds)) > 6000:
        raise refuse(50035, "embeds exceed 6000 characters together")
    check_components(components, is_v2=is_v2)


def check_components(components: Sequence[Json], *, is_v2: bool) -> None:
    parts = list(walk(components))
    if is_v2:
        if len(parts) > 40:
            raise refuse(50035, "a message has at most 40 components")
        if sum(len(part["content"]) for part in parts if part["type"] == TEXT_DISPLAY) > 4000:
            raise refuse(50035, "text displays exceed 4000 characters together")
    elif len(components) > 5 or any(part["type"] != 1 for part in components):
        raise refuse(50035, "without Components V2 a message has at most five action rows")
    check_custom_ids(parts)
    check_ids(parts)
    for part in parts:
        if part["type"] == BUTTON and part.get("style") not in {LINK_STYLE, 6} and not part.get("custom_id"):
            raise refuse(50035, "a button needs a custom_id")


def check_custom_ids(parts: Sequence[Json]) -> None:
    ids = [part["custom_id"] for part in parts if part.get("custom_id")]
    if len(ids) != len(set(ids)):
        raise refuse(50035, "custom ids must be unique within a message or modal")


def check_ids(parts: Sequence[Json]) -> None:
    """Those that are given (Discord /docs/components/reference; the type is int32 in its OpenAPI document)."""
    ids = [part["id"] for part in parts if part.get("id")]
    if len(ids) != len(set(ids)):
        raise refuse(50035, "the ids of components must be unique within a message")
    if not all(0 < each < 2**31 for each in ids):
        raise refuse(50035, "the id of a component is a positive integer of 32 bits")


def check_modal(modal: Json) -> None:
    if not 1 <= len(modal.get("title") or "") <= 45:
        raise refuse(50035, "a modal's title is 1 to 45 characters long")
    if not 1 <= len(modal.get("components") or []) <= 5:
        raise refuse(50035, "a modal has 1 to 5 top-level components")
    check_custom_ids(list(walk(modal["components"])))


def embed_texts(embeds: Sequence[Json]) -> Iterator[str]:
    for embed in embeds:
        yield from (embed[key] for key in ("title", "description") if embed.get(key))
        yield from (part for field in embed.get("fields") or [] for part in (field["name"], field["value"]))
        yield from ((embed.get("footer") or {}).get(key, "") for key in ("text",))
        yield from ((embed.get("author") or {}).get(key, "") for key in ("name",))


def visible_texts(content: str, embeds: Sequence[Json], components: Sequence[Json]) -> list[str]:
    """All a reader sees as text, labels of buttons not included."""
    shown: list[Any] = [content, *embed_texts(embeds)]
    shown += [part["content"] for part in walk(components) if part["type"] == TEXT_DISPLAY]
    return [text for text in shown if text]

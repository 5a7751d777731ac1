"""Checks request bodies against Discord's OpenAPI document, made strict enough to notice a misspelt key."""

import copy
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.wire.discord.answers import Call, Json

SPEC_VARIABLE = "DISCORD_OPENAPI_FILE"
ROOT = "urn:discord-openapi"

KEPT_MEDIA_KEYS = {"content_type", "flags", "proxy_url"}
KEPT_ATTACHMENT_KEYS = {"content_type", "ephemeral", "flags", "height", "proxy_url", "size", "spoiler", "url", "width"}
# Where the document is narrower than Discord itself or older than the library: schema -> property -> what it takes.
# Reasons: `nsfw` and null contexts are always sent with commands by discord.py; `tts` on edits and updates likewise;
# embeds always carry `flags`; kept attachments and embeds are sent back with all they came with; `file_types` is newer
# than the document; as digit strings are allowed for integers, a nonce would match two branches.
EXTRA_PROPERTIES: dict[str, dict[str, Json]] = {
    "ApplicationCommandUpdateRequest": {"nsfw": {"type": ["boolean", "null"]}},
    "ApplicationCommandCreateRequest": {"nsfw": {"type": ["boolean", "null"]}},
    "ApplicationCommandAttachmentOption": {"file_types": {"type": "array"}},
    "FileUploadComponentForModalRequest": {"file_types": {"type": "array"}},
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": {"tts": {"type": "boolean"}},
    "IncomingWebhookUpdateRequestPartial": {"tts": {"type": "boolean"}},
    "MessageEditRequestPartial": {"tts": {"type": "boolean"}},
    "RichEmbed": {"flags": {"type": "integer"}},
    "RichEmbedImage": {key: {} for key in KEPT_MEDIA_KEYS},
    "RichEmbedThumbnail": {key: {} for key in KEPT_MEDIA_KEYS},
    "MessageAttachmentRequest": {key: {} for key in KEPT_ATTACHMENT_KEYS},
    "MessageCreateRequest": {"nonce": {"type": ["integer", "string", "null"], "maxLength": 25}},
}
DIGITS = r"^-?[0-9]+$"


@dataclass(frozen=True, slots=True)
class Breach:
    """A request body the document does not allow; `where` is the place inside the body."""

    method: str
    route: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.method} {self.route}: at {self.where}: {self.sentence}"


class OpenApiCheck:
    def __init__(self, document: Json) -> None:
        adjusted = adjust(document)
        self._paths: Json = adjusted["paths"]
        self._registry: Registry[Any] = Registry().with_resource(ROOT, DRAFT202012.create_resource(adjusted))
        self._templates = {without_names(path): path for path in self._paths}

    def breach_of(self, call: Call) -> Breach | None:
        """None when the body is fine, or when the document says nothing about this operation's JSON body."""
        if call.body is None or call.route is None or not self.knows(call.method, call.route):
            return None
        path, method = self._templates[without_names(call.route)], call.method.lower()
        pointer = "/".join(
            part.replace("~", "~0").replace("/", "~1")
            for part in ("", "paths", path, method, "requestBody", "content", "application/json", "schema")
        )
        validator = Draft202012Validator({"$ref": f"{ROOT}#{pointer}"}, registry=self._registry)
        error = next(validator.iter_errors(call.body), None)
        if error is None:
            return None
        where, sentence = deepest(error)
        return Breach(call.method, call.route, where, sentence)

    def knows(self, method: str, route: str) -> bool:
        """The document says what the JSON body of this operation looks like."""
        operation = self._paths.get(self._templates.get(without_names(route), ""), {}).get(method.lower(), {})
        return "application/json" in operation.get("requestBody", {}).get("content", {})


def deepest(error: ValidationError) -> tuple[str, str]:
    """Place and sentence; in a union, of the branch whose `type` fits, else of the one that got furthest."""
    found = error
    while found.context:
        branches: dict[object, list[ValidationError]] = {}
        for inner in found.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        best = min(branches.values(), key=_unlikeliness)
        found = max(best, key=lambda inner: len(inner.relative_path))
    where = "/".join(str(part) for part in found.absolute_path) or "the body"
    return where, found.message[:300]


def _unlikeliness(branch: list[ValidationError]) -> tuple[bool, int]:
    is_other_type = any(list(inner.relative_path) == ["type"] for inner in branch)
    return is_other_type, -max(len(inner.relative_path) for inner in branch)


def without_names(path: str) -> str:
    """`/channels/{channel_id}` -> `/channels/{}`; interaction and webhook tokens have several names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def adjust(document: Json) -> Json:
    adjusted = copy.deepcopy(document)
    schemas: Json = adjusted["components"]["schemas"]
    for name, properties in EXTRA_PROPERTIES.items():
        schemas[name]["properties"] |= properties
    wanted: set[str] = set()
    for item in adjusted["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and "requestBody" in operation:
                body = operation["requestBody"]["content"].get("application/json")
                if body:
                    _tighten(body["schema"])
                    _collect(body["schema"], schemas, wanted)
    for name in wanted:
        _tighten(schemas[name])
    _anchor(adjusted)
    return adjusted


def _collect(node: Any, schemas: Json, found: set[str]) -> None:
    """Names of all schemas reachable from `node`."""
    if isinstance(node, list):
        for part in node:
            _collect(part, schemas, found)
    elif isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in found:
            found.add(name)
            _collect(schemas[name], schemas, found)
        for part in node.values():
            _collect(part, schemas, found)


def _tighten(node: Any, *, inside_all_of: bool = False) -> None:
    """Objects take no unknown keys (except under allOf); integers may be digit strings, ids may be numbers."""
    if isinstance(node, list):
        for part in node:
            _tighten(part)
        return
    if not isinstance(node, dict):
        return
    if "properties" in node and not inside_all_of:
        node.setdefault("additionalProperties", False)
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "integer" in kinds and not {"enum", "const", "oneOf", "maxLength"} & set(node):
        node |= {"type": sorted({*kinds, "string"}), "pattern": DIGITS}
    elif node.get("format") == "snowflake":
        node["type"] = sorted({*kinds, "integer"})
    for key, part in node.items():
        if key == "allOf":
            for inner in part:
                _tighten(inner, inside_all_of=True)
        elif key != "enum":
            _tighten(part)


def _anchor(node: Any) -> None:
    """Point every local reference at the document's own name."""
    if isinstance(node, list):
        for part in node:
            _anchor(part)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            node["$ref"] = ROOT + reference
        for part in node.values():
            _anchor(part)


@lru_cache(maxsize=2)
def load_check(path: str) -> OpenApiCheck:
    """Read once for each run; the stand-ins of all tests share it."""
    return OpenApiCheck(json.loads(Path(path).read_text(encoding="utf-8")))

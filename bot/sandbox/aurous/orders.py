"""What the rehearsal Aurous Labs takes as an order of pictures: closed JSON bodies, documented limits. No I/O."""

import ipaddress
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.aurous.records import ImageOrder
from bot.sandbox.aurous.refusals import Refusal, bad_combination, malformed, missing, out_of_range
from bot.sandbox.aurous.switches import AurousAnswers

PROMPT_CAP = 4000
URL_CAP = 2048
SIDE_LEAST_PX, SIDE_MOST_PX, SIDE_STEP_PX = 1024, 4096, 32
REFERENCES_MOST = 6
"""Assumed, as are the next four."""
COUNT_MOST = 4
MULTI_LORA_MOST = 4
WEIGHT_MOST = 2.0
SEED_MOST = 2**53
DEFAULT_SIZE = "2k_1_1"
DEFAULT_CFG_RESCALE, DEFAULT_DENOISE = 0.7, 0.6
RATIOS = ("1_1", "3_2", "2_3", "4_3", "3_4", "16_9", "9_16", "21_9")
_TIER_SIDES_PX = {"2k": 2048, "4k": 4096}
_FIELDS = frozenset(
    {
        "prompt", "negative_prompt", "lora_id", "character_id", "reference_image_urls", "size", "width", "height",
        "steps", "guidance_scale", "cfg_rescale", "denoise_strength", "seed", "count", "enhance_prompt", "webhook_url",
    }
)  # fmt: skip
_NUMBERS: dict[str, tuple[bool, float, float]] = {
    "steps": (True, 1, 100),
    "guidance_scale": (False, 0.1, 30),
    "cfg_rescale": (False, 0, 1),
    "denoise_strength": (False, 0, 1),
    "seed": (True, -1, SEED_MOST),
    "count": (True, 1, COUNT_MOST),
}
"""Whole or not, least, most; of the last four only the name is documented (Aurous Labs /images/create-image)."""
_FILE_ID = re.compile(r"file_[0-9A-Za-z]+")


def parse_object(body: bytes) -> dict[str, Any]:
    """An empty body is an empty object: several routes need none."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "invalid_format", "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_format", "The body has to be a JSON object.")
    return value


def refuse_unknown(body: Mapping[str, object], known: frozenset[str]) -> None:
    """Documented for changes of a character; assumed elsewhere."""
    unknown = [name for name in body if name not in known]
    if unknown:
        raise Refusal(400, "invalid_request", f"Unknown fields: {', '.join(unknown)}.", param=unknown[0])


def check_image(body: Mapping[str, Any], answers: AurousAnswers, base_url: str) -> ImageOrder:
    """Source: Aurous Labs /images/create-image. `base_url`: the addresses that references may have over http."""
    refuse_unknown(body, _FIELDS | {"loras"} if answers.allow_multi_lora else _FIELDS)
    prompt = read_text(body, "prompt", PROMPT_CAP, required=True)
    for name, (is_whole, least, most) in _NUMBERS.items():
        _check_number(body, name, is_whole, least, most)
    if not isinstance(body.get("enhance_prompt", False), bool):
        raise malformed("enhance_prompt", "has to be true or false")
    references = _read_references(body, base_url)
    character = read_text(body, "character_id", 100)
    if character and references:
        message = "character_id and reference_image_urls exclude each other."
        raise Refusal(400, "mutually_exclusive_input", message, param="character_id")
    preset, width, height = _read_size(body)
    seed = body.get("seed")
    return ImageOrder(
        prompt=prompt or "",
        negative_prompt=read_text(body, "negative_prompt", PROMPT_CAP),
        styles=_read_styles(body),
        character=character,
        references=references,
        size_preset=preset,
        width=width,
        height=height,
        cfg_rescale=body.get("cfg_rescale", DEFAULT_CFG_RESCALE),
        denoise=body.get("denoise_strength", DEFAULT_DENOISE),
        seed=None if seed == -1 else seed,
        count=body.get("count", 1),
        enhance=body.get("enhance_prompt", False),
        webhook_url=read_webhook_url(body, "webhook_url"),
    )


def read_text(body: Mapping[str, Any], name: str, most: int, *, required: bool = False) -> str | None:
    if name not in body:
        if required:
            raise missing(name)
        return None
    value = body[name]
    if not isinstance(value, str) or (value and not value.strip()):
        raise malformed(name, "has to be a text")
    if not 1 <= len(value) <= most:
        raise out_of_range(name, f"has to have 1 to {most} characters")
    return value


def read_webhook_url(body: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """Production takes https only; the rehearsal takes http addresses of this machine, too."""
    url = read_text(body, name, URL_CAP, required=required)
    if url is not None and not is_address(url, loopback_too=True):
        raise malformed(name, "has to be an https address")
    return url


def is_address(url: str, *, loopback_too: bool) -> bool:
    """A public https address, or an http one of this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    ip = _read_ip(parts.hostname)
    if parts.hostname == "localhost" or (ip is not None and ip.is_loopback):
        return loopback_too and parts.scheme in {"http", "https"}
    return parts.scheme == "https" and (ip is None or ip.is_global)


def _read_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check_number(body: Mapping[str, Any], name: str, is_whole: bool, least: float, most: float) -> None:
    if name not in body:
        return
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
        raise malformed(name, "has to be a whole number" if is_whole else "has to be a number")
    if not (math.isfinite(value) and least <= value <= most):
        raise out_of_range(name, f"has to be from {least} to {most}")


def _read_references(body: Mapping[str, Any], base_url: str) -> tuple[str, ...]:
    items = body.get("reference_image_urls", [])
    name = "reference_image_urls"
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise malformed(name, "has to be a list of texts")
    if len(items) > REFERENCES_MOST:
        raise out_of_range(name, f"may have {REFERENCES_MOST} items")
    for item in items:
        is_own = item.startswith(f"{base_url}/")
        if not (_FILE_ID.fullmatch(item) or is_own or (len(item) <= URL_CAP and is_address(item, loopback_too=False))):
            raise malformed(name, "has to hold file ids and public https addresses")
    return tuple(items)


def _read_styles(body: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """`loras` goes before `lora_id`; its shape is announced only, so the limits are assumed."""
    single = read_text(body, "lora_id", 100)
    items = body.get("loras", [])
    if not isinstance(items, list) or len(items) > MULTI_LORA_MOST:
        raise malformed("loras", f"has to be a list of up to {MULTI_LORA_MOST}")
    stacked = []
    for item in items:
        lora, weight = (item.get("lora"), item.get("weight", 1)) if isinstance(item, dict) else (None, None)
        if not isinstance(lora, str) or isinstance(weight, bool) or not isinstance(weight, int | float):
            raise malformed("loras", "has to hold objects of lora and weight")
        if not 0 <= weight <= WEIGHT_MOST:
            raise out_of_range("loras", f"takes weights from 0 to {WEIGHT_MOST}")
        stacked.append((lora, float(weight)))
    return tuple(stacked) or (((single, 1.0),) if single else ())


def _read_size(body: Mapping[str, Any]) -> tuple[str | None, int, int]:
    """The preset and the sides in pixels."""
    sides = [name for name in ("width", "height") if name in body]
    if "size" in body:
        if sides:
            raise bad_combination("size does not go with width and height.", "size")
        preset = body["size"]
        if not isinstance(preset, str) or preset not in PRESETS:
            raise malformed("size", f"has to be one of {', '.join(PRESETS)}")
        return preset, *PRESETS[preset]
    if not sides:
        return DEFAULT_SIZE, *PRESETS[DEFAULT_SIZE]
    if len(sides) == 1:
        raise missing("height" if sides == ["width"] else "width")
    for name in sides:
        _check_number(body, name, True, SIDE_LEAST_PX, SIDE_MOST_PX)
    return None, _snap(body["width"]), _snap(body["height"])


def _snap(side_px: float) -> int:
    return math.floor(side_px / SIDE_STEP_PX + 0.5) * SIDE_STEP_PX


def _presets() -> dict[str, tuple[int, int]]:
    """As many pixels as the tier's square has; only `2k_1_1` is documented."""
    presets = {}
    for tier, side_px in _TIER_SIDES_PX.items():
        for ratio in RATIOS:
            across, down = (int(part) for part in ratio.split("_"))
            stretch = math.sqrt(across / down)
            presets[f"{tier}_{ratio}"] = (_snap(side_px * stretch), _snap(side_px / stretch))
    return presets


PRESETS = _presets()

"""What the rehearsal Aurous Labs takes as JSON: closed bodies, documented limits. No I/O."""

import ipaddress
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from bot.sandbox.aurous.refusals import Refusal, bad_combination, malformed, missing, out_of_range

PROMPT_CAP = 4000
URL_CAP = 2048
SIDE_LEAST_PX, SIDE_MOST_PX, SIDE_STEP_PX = 1024, 4096, 32
REFERENCES_MOST = 6
"""Assumed, as are the next two."""
COUNT_MOST = 4
SEED_MOST = 2**53
DEFAULT_SIZE = "2k_1_1"
RATIOS = ("1_1", "3_2", "2_3", "4_3", "3_4", "16_9", "9_16", "21_9")
_TIER_SIDES_PX = {"2k": 2048, "4k": 4096}
_RANGE_ERRORS = frozenset(
    {
        "string_too_short", "string_too_long", "too_short", "too_long", "greater_than_equal", "less_than_equal",
        "finite_number",
    }
)  # fmt: skip


def parse_object(body: bytes) -> dict[str, Any]:
    """An empty body is an empty object: several routes need none."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "invalid_format", "The body is not JSON.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "invalid_format", "The body has to be a JSON object.")
    return value


class Body(BaseModel):
    """A closed JSON body. That unknown fields are refused is documented for changes of a character only."""

    model_config = ConfigDict(extra="forbid", strict=True)


BodyT = TypeVar("BodyT", bound=Body)


def check_body(kind: type[BodyT], body: Mapping[str, Any], base_url: str = "") -> BodyT:
    """Raises Refusal for one thing that is wrong; unknown fields go before all others.

    `base_url`: the addresses that references may have over http.
    """
    try:
        checked = kind.model_validate(body, context=base_url)
    except ValidationError as error:
        wrong = error.errors()
        first = next((each for each in wrong if each["type"] == "extra_forbidden"), wrong[0])
        raise _refusal(first["type"], str(first["loc"][0]), first["msg"]) from error
    for name, value in body.items():
        if value is None:
            raise malformed(name, "may not be null")
    return checked


def _refusal(kind: str, param: str, message: str) -> Refusal:
    if kind == "missing":
        return missing(param)
    if kind == "extra_forbidden":
        return Refusal(400, "invalid_request", f"Unknown field: {param}.", param=param)
    return (out_of_range if kind in _RANGE_ERRORS else malformed)(param, f"is wrong: {message}")


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


def _check_webhook_url(url: str) -> str:
    """Production takes https only; the rehearsal takes http addresses of this machine, too."""
    if not is_address(url, loopback_too=True):
        raise ValueError("has to be an https address")
    return url


def _check_reference(item: str, info: ValidationInfo) -> str:
    is_file = item.startswith("file_") and item.isascii() and item[5:].isalnum()
    is_own = item.startswith(f"{info.context}/")
    if not (is_file or is_own or (len(item) <= URL_CAP and is_address(item, loopback_too=False))):
        raise ValueError("has to hold file ids and public https addresses")
    return item


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


def _check_preset(size: str) -> str:
    if size not in PRESETS:
        raise ValueError(f"has to be one of {', '.join(PRESETS)}")
    return size


NOT_BLANK = r"\S"
Prompt = Annotated[str, Field(min_length=1, max_length=PROMPT_CAP, pattern=NOT_BLANK)]
Ref = Annotated[str, Field(min_length=1, max_length=100, pattern=NOT_BLANK)]
WebhookUrl = Annotated[str, Field(min_length=1, max_length=URL_CAP), AfterValidator(_check_webhook_url)]
Reference = Annotated[str, AfterValidator(_check_reference)]
Preset = Annotated[str, AfterValidator(_check_preset)]
Side = Annotated[int, Field(ge=SIDE_LEAST_PX, le=SIDE_MOST_PX)]
Share = Annotated[float, Field(ge=0, le=1)]


class ImageOrder(Body):
    """The body of POST /v1/images and of its estimate. Source: Aurous Labs /images/create-image.

    `style` is an id, slug or UUID of a LoRA. Once it is checked, `width` and `height` are the sides of the pictures.
    The ranges of `cfg_rescale`, `denoise`, `seed` and `count` are assumed.
    """

    prompt: Prompt
    negative_prompt: Prompt | None = None
    style: Ref | None = Field(None, alias="lora_id")
    character: Ref | None = Field(None, alias="character_id")
    references: list[Reference] = Field([], alias="reference_image_urls", max_length=REFERENCES_MOST)
    size_preset: Preset | None = Field(None, alias="size")
    width: Side = 0
    height: Side = 0
    steps: int | None = Field(None, ge=1, le=100)
    guidance_scale: float | None = Field(None, ge=0.1, le=30)
    cfg_rescale: Share = 0.7
    denoise: Share = Field(0.6, alias="denoise_strength")
    seed: int | None = Field(None, ge=-1, le=SEED_MOST)
    count: int = Field(1, ge=1, le=COUNT_MOST)
    enhance: bool = Field(False, alias="enhance_prompt")
    webhook_url: WebhookUrl | None = None

    @model_validator(mode="after")
    def _settle(self) -> Self:
        """Refuse fields that exclude each other, then choose the sides."""
        if self.character and self.references:
            message = "character_id and reference_image_urls exclude each other."
            raise Refusal(400, "mutually_exclusive_input", message, param="character_id")
        if self.width and self.height and self.size_preset is None:
            self.width, self.height = _snap(self.width), _snap(self.height)
        elif self.size_preset is not None and (self.width or self.height):
            raise bad_combination("size does not go with width and height.", "size")
        elif self.width or self.height:
            raise missing("height" if self.width else "width")
        else:
            self.size_preset = self.size_preset or DEFAULT_SIZE
            self.width, self.height = PRESETS[self.size_preset]
        self.seed = None if self.seed == -1 else self.seed
        return self

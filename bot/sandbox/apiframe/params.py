"""The rehearsal Apiframe's models: what each one's closed parameter block takes. Source: Apiframe OpenAPI 2.0.0."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = Callable[[object], bool]

ASPECTS = frozenset({"1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"})
FORMATS = frozenset({"png", "jpg", "webp"})
INPUT_IMAGES_MOST = 10
_ANY_ASPECT = re.compile(r"[1-9][0-9]?:[1-9][0-9]?")


def is_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _number(least: float, most: float) -> Rule:
    def fits(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    return fits


def _whole(least: int, most: int) -> Rule:
    in_range = _number(least, most)
    return lambda value: isinstance(value, int) and in_range(value)


def _one_of(choices: Collection[object]) -> Rule:
    return lambda value: isinstance(value, str | int) and not isinstance(value, bool) and value in choices


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_aspect(value: object) -> bool:
    return isinstance(value, str) and _ANY_ASPECT.fullmatch(value) is not None


def _is_image_list(value: object) -> bool:
    return isinstance(value, list) and len(value) <= INPUT_IMAGES_MOST and all(map(is_url, value))


_SEED = _whole(-(2**53), 2**53)
_SHARE = _number(0, 1)


@dataclass(frozen=True, slots=True)
class Block:
    """One model's parameters. `is_needed`: the body must hold the block."""

    name: str
    rules: Mapping[str, Rule]
    needed: frozenset[str] = field(default_factory=frozenset)
    is_needed: bool = True

    def complaints(self, body: Mapping[str, Any]) -> dict[str, list[str]]:
        params = body.get(self.name, None if self.is_needed else {})
        if not isinstance(params, dict):
            return {self.name: ["Invalid input: expected object"]}
        wrong = [name for name, value in params.items() if name not in self.rules or not self.rules[name](value)]
        missing = sorted(self.needed - params.keys())
        return {f"{self.name}.{name}": ["Invalid input"] for name in (*wrong, *missing)}

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a body without complaints."""
        return dict(body.get(self.name, {}))


GENERATORS = {
    "flux-lora": Block(
        "fluxLoraParams",
        {
            "loraId": _is_text,
            "num_outputs": _whole(1, 4),
            "num_inference_steps": _whole(4, 50),
            "seed": _SEED,
            "lora_strength": _number(0, 1.5),
            "guidance_scale": _number(1, 10),
            "aspect_ratio": _one_of(ASPECTS),
            "output_format": _one_of(FORMATS),
        },
        frozenset({"loraId"}),
    ),
    "flux-2-dev": Block(
        "fluxParams",
        {
            "aspect_ratio": _is_aspect,
            "width": _whole(256, 2048),
            "height": _whole(256, 2048),
            "output_format": _one_of(FORMATS),
            "output_quality": _whole(0, 100),
            "seed": _SEED,
            "image_prompt": is_url,
            "image_prompt_strength": _SHARE,
            "input_images": _is_image_list,
            "guidance": _number(1.5, 10),
            "steps": _whole(1, 50),
            "prompt_upsampling": _is_flag,
            "raw": _is_flag,
            "go_fast": _is_flag,
        },
        is_needed=False,
    ),
}
EDITS = {
    "upscale": {
        "clarity-upscale": Block(
            "clarityUpscaleParams",
            {
                "image": is_url,
                "scale_factor": _one_of({1, 2, 4, 8}),
                "prompt": _is_text,
                "negative_prompt": _is_text,
                "creativity": _SHARE,
                "resemblance": _number(0, 3),
                "dynamic": _number(1, 50),
                "num_inference_steps": _whole(1, 100),
                "sharpen": _number(0, 10),
                "output_format": _one_of(FORMATS),
                "seed": _SEED,
            },
            frozenset({"image"}),
        ),
        "topaz-image-upscale": Block(
            "topazUpscaleParams",
            {
                "image": is_url,
                "upscale_factor": _one_of({1, 2, 4, 6}),
                "model_type": _is_text,
                "face_enhance": _is_flag,
                "face_enhance_strength": _SHARE,
                "face_enhance_creativity": _SHARE,
                "output_format": _one_of({"jpg", "png"}),
                "seed": _SEED,
            },
            frozenset({"image"}),
        ),
    },
    "background-remove": {
        "bria-bg-remove": Block(
            "briaBgRemoveParams", {"image": is_url, "content_moderation": _is_flag}, frozenset({"image"})
        ),
        "851-bg-remove": Block(
            "lab851BgRemoveParams",
            {
                "image": is_url,
                "background_type": _is_text,
                "format": _one_of({"png", "jpg"}),
                "threshold": _SHARE,
                "reverse": _is_flag,
            },
            frozenset({"image"}),
        ),
    },
}
"""By the last part of the path."""

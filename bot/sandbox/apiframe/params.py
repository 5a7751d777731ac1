"""The rehearsal Apiframe's orders of pictures: the closed body of each model. Source: Apiframe OpenAPI 2.0.0."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

LEFT_OUT: Any = None
"""The default of a field that may be left out; null is refused."""

Url = Annotated[str, Field(pattern="^https?://")]
Prompt = Annotated[str, Field(min_length=1, max_length=2000)]
Seed = Annotated[int, Field(ge=-(2**53), le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]
Format = Literal["png", "jpg", "webp"]
Aspect = Annotated[str, Field(pattern="^[1-9][0-9]?:[1-9][0-9]?$")]
Side = Annotated[int, Field(ge=256, le=2048)]


class Params(BaseModel):
    """A closed block of one model's parameters."""

    model_config = ConfigDict(extra="forbid", strict=True)


class FluxLora(Params):
    lora_id: str = Field(alias="loraId")
    num_outputs: Annotated[int, Field(ge=1, le=4)] = LEFT_OUT
    num_inference_steps: Annotated[int, Field(ge=4, le=50)] = LEFT_OUT
    seed: Seed = LEFT_OUT
    lora_strength: Annotated[float, Field(ge=0, le=1.5)] = LEFT_OUT
    guidance_scale: Annotated[float, Field(ge=1, le=10)] = LEFT_OUT
    aspect_ratio: Literal["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"] = LEFT_OUT
    output_format: Format = LEFT_OUT


class Flux(Params):
    aspect_ratio: Aspect = LEFT_OUT
    width: Side = LEFT_OUT
    height: Side = LEFT_OUT
    output_format: Format = LEFT_OUT
    output_quality: Annotated[int, Field(ge=0, le=100)] = LEFT_OUT
    seed: Seed = LEFT_OUT
    image_prompt: Url = LEFT_OUT
    image_prompt_strength: Share = LEFT_OUT
    input_images: Annotated[list[Url], Field(max_length=10)] = LEFT_OUT
    guidance: Annotated[float, Field(ge=1.5, le=10)] = LEFT_OUT
    steps: Annotated[int, Field(ge=1, le=50)] = LEFT_OUT
    prompt_upsampling: bool = LEFT_OUT
    raw: bool = LEFT_OUT
    go_fast: bool = LEFT_OUT


class ClarityUpscale(Params):
    image: Url
    scale_factor: Literal[1, 2, 4, 8] = LEFT_OUT
    prompt: str = LEFT_OUT
    negative_prompt: str = LEFT_OUT
    creativity: Share = LEFT_OUT
    resemblance: Annotated[float, Field(ge=0, le=3)] = LEFT_OUT
    dynamic: Annotated[float, Field(ge=1, le=50)] = LEFT_OUT
    num_inference_steps: Annotated[int, Field(ge=1, le=100)] = LEFT_OUT
    sharpen: Annotated[float, Field(ge=0, le=10)] = LEFT_OUT
    output_format: Format = LEFT_OUT
    seed: Seed = LEFT_OUT


class TopazUpscale(Params):
    image: Url
    upscale_factor: Literal[1, 2, 4, 6] = LEFT_OUT
    model_type: str = LEFT_OUT
    face_enhance: bool = LEFT_OUT
    face_enhance_strength: Share = LEFT_OUT
    face_enhance_creativity: Share = LEFT_OUT
    output_format: Literal["jpg", "png"] = LEFT_OUT
    seed: Seed = LEFT_OUT


class BriaBgRemove(Params):
    image: Url
    content_moderation: bool = LEFT_OUT


class Lab851BgRemove(Params):
    image: Url
    background_type: str = LEFT_OUT
    format: Literal["png", "jpg"] = LEFT_OUT
    threshold: Share = LEFT_OUT
    reverse: bool = LEFT_OUT


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    webhook_url: Url = LEFT_OUT
    webhook_events: Annotated[list[Literal["progress", "completed", "failed"]], Field(min_length=1)] = LEFT_OUT


class FluxLoraOrder(Order):
    model: Literal["flux-lora"]
    prompt: Prompt
    flux_lora_params: FluxLora


class FluxOrder(Order):
    model: Literal["flux-2-dev"]
    prompt: Prompt
    flux_params: Flux = LEFT_OUT


class ClarityUpscaleOrder(Order):
    model: Literal["clarity-upscale"]
    clarity_upscale_params: ClarityUpscale


class TopazUpscaleOrder(Order):
    model: Literal["topaz-image-upscale"]
    topaz_upscale_params: TopazUpscale


class BriaBgRemoveOrder(Order):
    model: Literal["bria-bg-remove"]
    bria_bg_remove_params: BriaBgRemove


class Lab851BgRemoveOrder(Order):
    model: Literal["851-bg-remove"]
    lab851_bg_remove_params: Lab851BgRemove = Field(alias="lab851BgRemoveParams")


BY_MODEL = Field(discriminator="model")
ORDERS: dict[str, TypeAdapter[Any]] = {
    "generate": TypeAdapter(Annotated[FluxLoraOrder | FluxOrder, BY_MODEL]),
    "upscale": TypeAdapter(Annotated[ClarityUpscaleOrder | TopazUpscaleOrder, BY_MODEL]),
    "background-remove": TypeAdapter(Annotated[BriaBgRemoveOrder | Lab851BgRemoveOrder, BY_MODEL]),
}
"""By the last part of the path."""


def params_of(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """The model's parameters in a checked order."""
    return next((value for key, value in order.items() if key.endswith("Params")), {})

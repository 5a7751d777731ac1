"""The JSON that the rehearsal Aurous Labs shows of its styles, pictures, characters, files, endpoints and money."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from bot.sandbox.aurous.records import (
    FILE_LIFE,
    RehearsalCharacter,
    RehearsalEndpoint,
    RehearsalFile,
    RehearsalImage,
    RehearsalStyle,
    RehearsalTeam,
)
from bot.sandbox.aurous.refusals import malformed, out_of_range

SHINY = {"shiny_new_field": {"nested": [1]}}
_LIMITS = (1, 20, 100)


class Listed(Protocol):
    @property
    def id(self) -> str: ...


ListedT = TypeVar("ListedT", bound=Listed)


def moment_text(moment: datetime | None) -> str | None:
    """As in `2026-05-04T10:00:00Z`."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def credits_number(amount: float) -> float:
    """Whole where it can be, as in the documentation's examples."""
    return int(amount) if amount == int(amount) else amount


def show_page(
    things: Sequence[ListedT],
    query: Mapping[str, str],
    show: Callable[[ListedT], dict[str, Any]],
) -> dict[str, Any]:
    """One page of `things`, newest first. What is refused is assumed (Aurous Labs /characters/list-characters)."""
    limit, after = _limit(query), query.get("starting_after")
    rest = things if after is None else things[_position(things, after) + 1 :]
    page = rest[:limit]
    has_more = len(rest) > limit
    cursor = page[-1].id if has_more else None
    return {"object": "list", "data": [show(thing) for thing in page], "has_more": has_more, "next_cursor": cursor}


def _limit(query: Mapping[str, str]) -> int:
    least, default, most = _LIMITS
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise malformed("limit", "has to be a whole number")
    if not least <= int(text) <= most:
        raise out_of_range("limit", f"has to be from {least} to {most}")
    return int(text)


def _position(things: Sequence[Listed], thing_id: str) -> int:
    ids = [thing.id for thing in things]
    if thing_id not in ids:
        raise malformed("starting_after", "is not the id of a row")
    return ids.index(thing_id)


def show_style(style: RehearsalStyle, preview_url: str) -> dict[str, Any]:
    """What is not set is left out, as optional fields are. Source: Aurous Labs /loras."""
    optional = {
        "description": style.description or None,
        "default_denoise_strength": style.denoise,
        "default_guidance_scale": style.guidance,
        "default_steps": style.steps,
    }
    shown: dict[str, Any] = {
        "id": style.id,
        "name": style.name,
        "slug": style.slug,
        "is_public": style.team is None,
        "preview_image_url": preview_url,
        "has_template": style.has_template,
        "created_at": moment_text(style.created_at),
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def show_cost(base: float, enhancing: float) -> dict[str, Any]:
    breakdown = {"base": credits_number(base), "enhance": credits_number(enhancing)}
    return {"amount": credits_number(base + enhancing), "breakdown": breakdown}


def show_image(image: RehearsalImage, output_urls: Sequence[str], first_status: str) -> dict[str, Any]:
    """Source: Aurous Labs /images/retrieve-image, newest version."""
    order = image.order
    amount = image.held if image.is_live else image.charged
    enhancing = image.held_for_enhancing * (amount / image.held if image.held else 0)
    worked_s = (image.completed_at - image.started_at).total_seconds() if image.completed_at and image.started_at else 0
    return {
        "object": "inference",
        "id": image.id,
        "status": first_status if image.status == "pending" else image.status,
        "prompt": order.prompt,
        "negative_prompt": order.negative_prompt,
        "created_at": moment_text(image.created_at),
        "completed_at": moment_text(image.completed_at),
        "media_type": "image",
        "output_urls": list(output_urls),
        "output_video_url": None,
        "reference_image_urls": list(order.references),
        "error_message": image.error,
        "duration_ms": round(worked_s * 1000) if image.completed_at else None,
        "cost": {**show_cost(amount - enhancing, enhancing), "currency": "credit"},
        "width": order.width,
        "height": order.height,
        "image_count": image.count,
        "size_preset": order.size_preset,
        "inference_type": "i2i" if order.character or order.references else "t2i",
        "cfg_rescale": order.cfg_rescale,
        "denoise_strength": order.denoise,
        "seed": image.seed,
        "video_duration": None,
        "video_resolution": None,
        "video_ratio": None,
        "video_camera_fixed": None,
        "character_id": image.character,
        "loras": [{"id": style.id, "name": style.name} for style in image.styles] or None,
        "aurous_version": image.version,
        "creation_request_id": image.request_id,
    }


def show_character(character: RehearsalCharacter, ref_urls: Sequence[str]) -> dict[str, Any]:
    """Source: Aurous Labs /characters/retrieve-character."""
    refs = [{"pose": ref.pose, "url": url} for ref, url in zip(character.refs, ref_urls, strict=True)]
    return {
        "id": character.id,
        "object": "character",
        "name": character.name,
        "status": character.status,
        "refs": refs,
        "created_at": moment_text(character.created_at),
        "updated_at": moment_text(character.updated_at),
        "attributes": None,
        "error_message": None,
        "aurous_version": character.version,
        "client_reference_id": None,
    }


def show_file(file: RehearsalFile, url: str) -> dict[str, Any]:
    """Source: Aurous Labs /files."""
    return {
        "id": file.id,
        "object": "file",
        "purpose": file.purpose,
        "mime_type": file.content_type,
        "size_bytes": file.size_bytes,
        "width_px": file.width_px,
        "height_px": file.height_px,
        "url": url,
        "expires_at": moment_text(file.created_at + FILE_LIFE),
        "created_at": moment_text(file.created_at),
        "metadata": file.metadata,
    }


def show_endpoint(endpoint: RehearsalEndpoint, *, with_secret: bool = False) -> dict[str, Any]:
    """Source: Aurous Labs /webhooks."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "events": list(endpoint.events),
        "secret_preview": f"{endpoint.secret[:10]}...{endpoint.secret[-4:]}",
        "secret": endpoint.secret if with_secret else None,
        "is_active": endpoint.is_active,
        "consecutive_failures": endpoint.consecutive_failures,
        "last_success_at": moment_text(endpoint.last_success_at),
        "last_failure_at": moment_text(endpoint.last_failure_at),
        "metadata": endpoint.metadata,
        "description": endpoint.description,
        "created_at": moment_text(endpoint.created_at),
        "updated_at": moment_text(endpoint.updated_at),
    }


def show_balance(team: RehearsalTeam, billing_mode: str) -> dict[str, Any]:
    """Source: Aurous Labs /balance."""
    return {
        "credits": credits_number(team.credits),
        "held_credits": credits_number(team.held),
        "available_credits": credits_number(team.credits - team.held),
        "currency": "credit",
        "billing_mode": billing_mode,
    }


def show_team(team: RehearsalTeam, billing_mode: str) -> dict[str, Any]:
    """Source: Aurous Labs /team."""
    return {
        "id": team.id,
        "name": team.name,
        "credits": credits_number(team.credits),
        "created_at": moment_text(team.created_at),
        "billing_mode": billing_mode,
        "billing_email": "rehearsal@example.com",
    }

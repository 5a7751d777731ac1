"""Where Discord sends commands, buttons and forms, against what is set here. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from bot.doctor.findings import Finding, fail, ok, warn
from bot.web.interactions import PATH

NAME = "interactions"
KEY_NAME = "public key"
PORTAL = "the developer portal, under General Information"


def interactions(about: Mapping[str, Any], public_key: str | None, public_url: str | None) -> Sequence[Finding]:
    """`about` is what Discord says of the application, `public_url` our own address without a path."""
    endpoint = about.get("interactions_endpoint_url")
    if public_key is None:
        return [_without_key(endpoint, about["verify_key"])]
    return [_key(public_key, about["verify_key"]), _endpoint(endpoint, public_url)]


def _without_key(endpoint: str | None, key: str) -> Finding:
    if endpoint is None:
        return ok(NAME, "Discord sends them over the gateway.")
    elsewhere = f"Discord sends commands to {endpoint}, an Interactions Endpoint URL, and not to this bot."
    return fail(NAME, elsewhere, f"Clear that field in {PORTAL}, or, if it leads here, set DARKROOM_PUBLIC_KEY={key}.")


def _key(ours: str, theirs: str) -> Finding:
    if ours.lower() == theirs.lower():
        return ok(KEY_NAME, "It is the one of this application.")
    other = "DARKROOM_PUBLIC_KEY is not the one of this application."
    return fail(KEY_NAME, other, f"Copy it again from {PORTAL}: {theirs}.")


def _endpoint(endpoint: str | None, public_url: str | None) -> Finding:
    if public_url is None:
        unknown = f"Discord sends them {'over the gateway' if endpoint is None else f'to {endpoint}'}."
        return warn(NAME, unknown, "Set DARKROOM_PUBLIC_URL, so that it can be told whether that is here.")
    ours = f"{public_url}{PATH}"
    if endpoint is None:
        spare = "Discord sends them over the gateway, because the application has no Interactions Endpoint URL."
        return warn(NAME, spare, f"To have them over HTTP, enter {ours} in {PORTAL}.")
    if _place(endpoint) == _place(ours):
        return ok(NAME, f"Discord sends them to {ours}.")
    return fail(NAME, f"Discord sends them to {endpoint}, and not to {ours}.", f"Enter that address in {PORTAL}.")


def _place(address: str) -> tuple[object, ...]:
    """What two spellings of one address have in common: hosts in small letters, the usual port or none."""
    url = URL(address)
    return url.scheme, url.host, url.port, url.raw_path_qs

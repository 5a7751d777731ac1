"""Cards of /privacy: what is kept for how long, the policy, what comes with a ZIP of an export."""

import discord

from bot.clock import Timings
from bot.policy import Policy
from bot.privacy.export import ExportPart
from bot.text import lasting
from cogs.ui.layout import SafeLayout, card
from cogs.ui.replies import File
from cogs.ui.words import count

POLICY_FILE = "privacy-policy.md"
SHOWN_MAX = 3800
"""Characters of a policy that a card shows; a longer one comes as a file."""


def kept_how_long(timings: Timings) -> str:
    return (
        "**Photos** are stripped of place and camera data when they arrive, sent to the provider your server chose "
        "when you press *Start training*, and deleted here when the LoRA is ready, at the latest after "
        f"{lasting(timings.photos_kept)}; those of an event {lasting(timings.event_photos_kept)} after the time for "
        "giving and choosing them.\n"
        "**Gender, ethnicity and age** go with the photos, and are shown to nobody but you.\n"
        f"**Pictures** are kept here for {lasting(timings.pictures_kept)} after they were made; up to four that were "
        "posted stay with the LoRA that made them, to show what it can do, until they are deleted or reported, you "
        "erase your data, or the LoRA is archived.\n"
        f"**What your jobs took** is kept for {lasting(timings.ledger_kept)} for the server's books, after "
        f"{lasting(timings.details_kept)} without your name. What was paid, shared, deleted or moderated stands in its "
        f"log for {lasting(timings.ledger_kept)}.\n"
        "**Leaving:** when you leave the server, nobody can use your shared LoRAs until you are back; send me this "
        "command in a private message to erase everything. When a server removes the bot, its photos go at once, its "
        f"keys after {lasting(timings.removal_key_kept)} at the latest, the rest after "
        f"{lasting(timings.left_guild_kept)}.\n"
        "**Your consent** (who, when, which photos by checksum) is kept as proof that you asked for it.\n"
        "`/privacy policy` says all of it, `/privacy export` gives you all of it."
    )


def policy_card(policy: Policy) -> tuple[SafeLayout, list[File]]:
    """The policy, or a card for the file that holds it when it is too long for one."""
    version = f"-# Version {policy.version}. It is recorded with every consent."
    if len(policy.text) <= SHOWN_MAX:
        return card(policy.text, version, colour=discord.Colour.blurple()), []
    view = card(
        "### Privacy policy\nIt is longer than a message: here it is as a file.", colour=discord.Colour.blurple()
    )
    view.box.add_item(discord.ui.File(f"attachment://{POLICY_FILE}"))
    view.add_text(version)
    return view, [(POLICY_FILE, policy.text.encode())]


def about_part(part: ExportPart) -> str:
    if part.number > 1:
        return f"Part {part.number} of {part.of}."
    lines = ["Everything that is kept about you, with the photos and pictures that are still here."]
    if part.of > 1:
        lines.append(f"It comes in {part.of} ZIPs: unpack them into one folder.")
    if part.left_out:
        lines.append(
            f"{count(part.left_out, 'file')} did not fit into what Discord takes: press *Save original* below a "
            "picture, or ask whoever runs this bot."
        )
    return " ".join(lines)

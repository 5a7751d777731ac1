"""What there is to try in the sandbox: printed with the page's address, and the bot's first message in the channel.

The sentences of `TRY_A_LORA` are followed word by word by a test in a browser.
"""

import textwrap

from bot.sandbox.samples.photos import GOOD, TRICKY
from bot.sandbox.world import REHEARSAL_KEY

PHOTOS = f"Sample photos to upload: {GOOD[0].parent}"
"""Their folder."""

LOOK_AROUND = (
    "“Viewing as” switches between Ben, Cleo and Ada, the admin. “Room” leads to other channels, to threads and to the "
    "private messages of whoever you are; a dot there says that something new has come."
)
TRY_A_LORA = (
    "Type /train, press Enter, press the paper plane. Press “Please choose”, choose “A pet, object or place”, name it "
    "Foxy, choose ten photos in the first field, choose ten other photos in the second field, tick the box, press "
    "“Submit”. Press “Start training”, wait until “Make the next picture” is there, press “Make the next picture”, "
    "press “Submit”."
)
TRIES = {
    "Try a LoRA": TRY_A_LORA,
    "Then": "/styles, /train with subject: a character and one photo, and the buttons below a picture.",
    "Try an event": (
        "It is open in the channel. Press “Give photos” as Ben, then as Cleo (ten each); as Ada close each stage early "
        "with /event status: the photos are chosen, a LoRA is trained, make a picture as Ben and as Cleo, vote. “Tell "
        "me about events” gives you the role that I mention; a stage that is left alone gets a last call."
    ),
    "Try a limit": (
        "Each member may use 300 credits a month, as after any first key: one training and some pictures. To reach it "
        "sooner, send /budget set as Ada with who: each member and credits: 3. As Ben send /imagine with any prompt, "
        "twice: the second is refused. /budget show says what is left; as Ada, /budget clear takes the limit away."
    ),
    "Try a named person": (
        "As Ben send /train with two photos, press “Who is in them?”, choose Cleo, Apply. As Cleo look into the room "
        "“Private messages”, or send /me, press “Show and answer”, and say yes or no. As Ben see with /dataset show "
        "what became of the photos."
    ),
    "Try a blocked member": (
        "As Ada send /moderation block with Ben. As Ben try /imagine, or any button. As Ada let Ben in again with "
        "/moderation unblock."
    ),
    "As Ada try": "/keys status, /keys test, /budget show, /moderation log and /settings, too.",
}
ODD = (
    "The page is simcord's, and not all there is as in Discord: commands are sent with the paper plane (Enter chooses "
    "an option), a list of people has its own “Apply”, and long hints are cut off."
)
WIDTH = 118


def guide(url: str, first: str = "") -> str:
    """What is printed; `first`: what there is to see in the scene that was asked for."""
    counts = f"({len(GOOD)} good ones, and {len(TRICKY)} tricky ones in its folder “tricky”)"
    tries = [first, *(f"{title}: {text}" for title, text in TRIES.items())]
    parts = [
        f"Darkroom's sandbox is ready. Open this address in a browser:\n\n    {url}",
        f"{PHOTOS}\n{counts}",
        *(textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in (LOOK_AROUND, *tries, ODD) if text),
        f"Rehearsal keys are set already, except in the scene without one; Apiframe's is {REHEARSAL_KEY}.\n"
        "Ctrl+C ends the sandbox and deletes everything.",
    ]
    return "\n" + "\n\n".join(parts) + "\n"


def first_message(first: str = "") -> list[str]:
    """The texts of the bot's first message in the channel."""
    tries = {"Try this": first, **TRIES} if first else TRIES
    return [
        "### Try this",
        f"{LOOK_AROUND}\n{PHOTOS}",
        "\n".join(f"**{title}:** {text}" for title, text in tries.items()),
        f"-# {ODD}",
    ]

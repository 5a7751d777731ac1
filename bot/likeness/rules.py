"""What claimants, owners and moderators are told. Pure."""

from datetime import datetime

OPEN_MAX = 5
"""Claims of one member that can wait at once: each of them stops a LoRA of somebody."""
REASON_MAX = 300
NOT_HERE = "This LoRA is not here any more, so nothing is made with it."
YOURS = "This LoRA is yours: you decide what is made with it, and `/loras archive` removes it."
RETIRED = "This LoRA is retired already: nobody can make pictures with it any more."
NO_LORA = "No LoRA made these pictures, so there is none to stop. **Report** tells the moderators about them."
NO_CLAIM = "This question is for somebody else, or it is not here any more."
DECIDED = "This has been decided already."
NOT_BY_THEMSELVES = "You have said this yourself, so the owner or another moderator decides it."
FOR_OTHERS = "Only the owner of this LoRA and moderators can decide this."
NO_REASON = "Please say why it is kept; whoever says that they are in it reads that."
TOO_MANY = (
    f"{OPEN_MAX} claims of yours wait already, and each is decided within 72 hours. "
    "If there is more, please tell a moderator: they can stop a LoRA at once."
)


def waits_already(ends_at: datetime) -> str:
    return f"You have said so already, and it rests. It is decided by {_when(ends_at)} at the latest; you are told."


def was_kept(reason: str | None, again_at: datetime) -> str:
    """The same member claims again after it was decided to keep the LoRA."""
    return (
        f"You have said so before, and it was decided to keep it: {reason or 'no reason is known'}\n"
        f"You can say so again from {_when(again_at)} on. If something is new, please tell a moderator."
    )


def _when(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:f>"

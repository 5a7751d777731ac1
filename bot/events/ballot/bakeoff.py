"""What a blind bake-off compares: strengths of one LoRA, its versions, or both."""

import math
from collections.abc import Sequence

from bot.errors import UserError
from bot.events.planning.drafts import CANDIDATES_MAX, NAME_MAX, EventDraft
from bot.records.event import Candidate, EventMode
from bot.records.lora import Lora


def bakeoff_draft(chosen: Lora, versions: Sequence[Lora], strengths: str | None, name: str) -> EventDraft:
    """The draft of a bake-off. Without strengths one version gets the usual ones, several none."""
    usual = () if len(versions) > 1 else USUAL_STRENGTHS
    candidates = candidates_of(versions, usual if strengths is None else parse_strengths(strengths))
    return EventDraft(
        name=name[:NAME_MAX],
        theme="Which one is best? You vote without knowing which is which.",
        rules="",
        mode=EventMode.BAKEOFF,
        subject_kind=chosen.subject_kind,
        candidates=candidates,
        lora_ids=tuple(lora.id for lora in versions),
    )


USUAL_STRENGTHS = (0.6, 0.8, 1.0)
STRENGTH_MIN, STRENGTH_MAX = 0.1, 1.5
"""As `/imagine` takes it (bot/generation/capabilities.py)."""


def parse_prompts(text: str) -> tuple[str, ...]:
    """The prompts in the text, separated by `|`."""
    return tuple(part.strip() for part in text.split("|") if part.strip())


def parse_strengths(text: str) -> tuple[float, ...]:
    """Numbers separated by commas or spaces, each once; UserError for anything else."""
    strengths: dict[float, None] = {}
    for part in text.replace(",", " ").split():
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        if not STRENGTH_MIN <= value <= STRENGTH_MAX:
            raise UserError(f"Strengths are numbers from {STRENGTH_MIN} to {STRENGTH_MAX}, such as `0.6, 0.8, 1.0`.")
        strengths[value] = None
    return tuple(strengths)


def candidates_of(versions: Sequence[Lora], strengths: Sequence[float]) -> tuple[Candidate, ...]:
    """Every version with every strength; UserError unless these are 2 to 8."""
    candidates = tuple(
        Candidate(lora.id, strength, _label(lora, strength, with_version=len(versions) > 1))
        for lora in versions
        for strength in (strengths or (None,))
    )
    if len(candidates) < 2:
        raise UserError("There is nothing to compare yet. Give two strengths or more, or a LoRA with several versions.")
    if len(candidates) > CANDIDATES_MAX:
        raise UserError(f"Please compare at most {CANDIDATES_MAX} at once; this would be {len(candidates)}.")
    return candidates


def _label(lora: Lora, strength: float | None, *, with_version: bool) -> str:
    parts = [f"version {lora.version}"] if with_version or strength is None else []
    if strength is not None:
        parts.append(f"strength {strength:g}")
    return ", ".join(parts)


def lineage(lora: Lora, among: Sequence[Lora]) -> list[Lora]:
    """The LoRA with its earlier and later versions that are in `among`, oldest first."""
    family = {lora.id: lora}
    grows = True
    while grows:
        size = len(family)
        befores = {each.previous_id for each in family.values()}
        family |= {each.id: each for each in among if each.previous_id in family or each.id in befores}
        grows = len(family) > size
    return sorted(family.values(), key=lambda each: (each.version, each.id))

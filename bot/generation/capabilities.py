"""Which settings and references each kind of order takes, and which provider makes it. Pure.

Sources: Apiframe /docs/images/flux-lora and OpenAPI 2.0.0 (flux-2-dev), Aurous Labs /images/create-image. Aurous Labs
documents no ranges for count, seed and the number of references; those are ours.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from bot.errors import UserError
from bot.records.generation import OPTIONS, GenerationSettings
from bot.records.key import ProviderName
from bot.records.lora import Lora, Style
from bot.text import quote

ASPECTS: Final = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
WIDEST: Final = "21:9"
FORMATS: Final = ("png", "jpg", "webp")
SIZES: Final = ("2k", "4k")
SEED_MAX: Final = 2**31 - 1
NAME_SHOWN: Final = 40


class Kind(StrEnum):
    TRAINED = "trained"
    """A LoRA that was trained at Apiframe (flux-lora)."""
    PLAIN = "plain"
    """Apiframe without a LoRA."""
    AUROUS = "aurous"
    """Aurous Labs, with a style or without."""
    CHARACTER = "character"
    """Aurous Labs with a character, with a style or without."""


@dataclass(frozen=True, slots=True)
class Span:
    low: float
    high: float

    def holds(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high)

    def __str__(self) -> str:
        return f"takes a number from {self.low:.10g} to {self.high:.10g}"


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"is one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Length:
    longest: int

    def holds(self, value: Any) -> bool:
        return bool(value.strip()) and len(value) <= self.longest

    def __str__(self) -> str:
        return f"takes 1 to {self.longest} characters"


@dataclass(frozen=True, slots=True)
class Switch:
    def holds(self, value: Any) -> bool:
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "is on or off"


Rule = Span | Choice | Length | Switch


@dataclass(frozen=True, slots=True)
class Ability:
    """What one kind of order takes. `prompt_max` is in characters, trigger word included."""

    prompt_max: int
    references_max: int
    settings: Mapping[str, Rule]


_AUROUS: Final[Mapping[str, Rule]] = {
    "count": Span(1, 4),
    "aspect": Choice((*ASPECTS, WIDEST)),
    "size": Choice(SIZES),
    "width": Span(1024, 4096),
    "height": Span(1024, 4096),
    "guidance": Span(0.1, 30),
    "steps": Span(1, 100),
    "seed": Span(0, SEED_MAX),
    "negative": Length(4000),
    "enhance": Switch(),
    "denoise": Span(0, 1),
}
STRENGTH_MIN: Final = 0.1
"""Below it a LoRA shows nothing of what it was trained on, and the picture is paid all the same."""
ABILITIES: Final[Mapping[Kind, Ability]] = {
    # Apiframe takes 2,000 characters and may put the trigger word in itself.
    Kind.TRAINED: Ability(
        1950,
        0,
        {
            "count": Span(1, 4),
            "aspect": Choice(ASPECTS),
            "strength": Span(STRENGTH_MIN, 1.5),
            "guidance": Span(1, 10),
            "steps": Span(4, 50),
            "seed": Span(0, SEED_MAX),
            "format": Choice(FORMATS),
        },
    ),
    Kind.PLAIN: Ability(
        2000,
        10,
        {
            "count": Span(1, 1),
            "aspect": Choice(ASPECTS),
            "width": Span(256, 2048),
            "height": Span(256, 2048),
            "guidance": Span(1.5, 10),
            "steps": Span(1, 50),
            "seed": Span(0, SEED_MAX),
            "format": Choice(FORMATS),
            "enhance": Switch(),
        },
    ),
    Kind.AUROUS: Ability(4000, 6, _AUROUS),
    Kind.CHARACTER: Ability(4000, 0, _AUROUS),
}

_WHERE_IT_WORKS: Final = {
    "size": "at Aurous Labs",
    "width": "at Aurous Labs and without a LoRA",
    "height": "at Aurous Labs and without a LoRA",
    "strength": "with trained LoRAs",
    "format": "at Apiframe",
    "negative": "with Aurous Labs styles and characters",
    "enhance": "at Aurous Labs and without a LoRA",
    "denoise": "at Aurous Labs",
}
"""For settings that not every kind takes."""


@dataclass(frozen=True, slots=True)
class Target:
    """The provider that makes the pictures, and the LoRA and style they are made with."""

    provider: ProviderName
    lora: Lora | None = None
    style: Style | None = None

    @property
    def kind(self) -> Kind:
        if self.provider is ProviderName.AUROUS:
            return Kind.CHARACTER if self.lora is not None else Kind.AUROUS
        return Kind.TRAINED if self.lora is not None else Kind.PLAIN

    @property
    def ability(self) -> Ability:
        return ABILITIES[self.kind]

    def __str__(self) -> str:
        if self.lora is not None:
            return _where(self.lora)
        if self.style is not None:
            return _where(self.style)
        without = " without a LoRA" if self.kind is Kind.PLAIN else ""
        return f"this order goes to {self.provider.label}{without}"


def choose_target(
    lora: Lora | None,
    style: Style | None,
    *,
    asked: ProviderName | None,
    default: ProviderName | None,
    keyed: Collection[ProviderName],
) -> Target:
    """That of the LoRA or style, else `asked`, the guild's `default`, the only one with a key, Apiframe.

    `keyed`: the providers that the guild has a working key for. UserError when LoRA, style and `asked` do not match.
    """
    if lora is not None and style is not None and lora.provider is not style.provider:
        raise UserError(f"{_where(lora)}, and {_where(style)}. Leave one of them out.")
    thing = lora or style
    if thing is not None and asked not in {None, thing.provider}:
        raise UserError(f"{_where(thing)}. Leave `provider` out.")
    if thing is not None:
        return Target(thing.provider, lora, style)
    usable = [provider for provider in ProviderName if provider in keyed]
    only = usable[0] if len(usable) == 1 else None
    preferred = default if default in usable or not usable else None
    return Target(asked or preferred or only or ProviderName.APIFRAME)


def check_order(target: Target, settings: GenerationSettings, reference_count: int) -> None:
    """UserError, with the option, the reason and what to do, when these settings cannot be ordered."""
    for option in asked_for(settings):
        _check_setting(target, option, getattr(settings, option))
    _check_references(target, reference_count)
    _check_together(target, settings, reference_count)


def can_order(target: Target, settings: GenerationSettings, reference_count: int) -> bool:
    try:
        check_order(target, settings, reference_count)
    except UserError:
        return False
    return True


def asked_for(settings: GenerationSettings) -> list[str]:
    """Names of the settings that have a value; the provider decides about all others."""
    return [field.name for field in fields(settings) if getattr(settings, field.name) is not None]


def _check_setting(target: Target, option: str, value: Any) -> None:
    rule, word = target.ability.settings.get(option), OPTIONS[option]
    if rule is None:
        raise UserError(f"`{word}` works {_WHERE_IT_WORKS[option]}; {target}. Leave `{word}` out.")
    if rule.holds(value):
        return
    if option == "count" and target.kind is Kind.PLAIN:
        raise UserError(
            "Without a LoRA, Apiframe makes one picture at a time. Leave `pictures` out, or pick a LoRA or a style."
        )
    raise UserError(f"`{word}` {rule}; {target}. Choose another value or leave it out.")


def _check_references(target: Target, count: int) -> None:
    most = target.ability.references_max
    if count <= most:
        return
    if target.kind is Kind.CHARACTER:
        raise UserError(f"A character has its own reference pictures; {target}. Leave `reference` out.")
    if most == 0:
        raise UserError(f"Reference pictures work without a trained LoRA; {target}. Leave `reference` or `lora` out.")
    raise UserError(f"Up to {most} reference pictures can be used at once; these are {count}. Leave some out.")


def _check_together(target: Target, settings: GenerationSettings, reference_count: int) -> None:
    if (settings.width is None) != (settings.height is None):
        raise UserError("`width` and `height` go together. Give both, or leave both out.")
    if settings.width is not None and (settings.aspect or settings.size):
        other = OPTIONS["aspect" if settings.aspect else "size"]
        raise UserError(f"`width` and `height` already say the shape. Leave them or `{other}` out.")
    if settings.denoise is not None and target.kind is Kind.AUROUS and not reference_count:
        raise UserError(
            "`change` says how far to move away from a picture. Add a `reference` or a character, or leave it out."
        )


def _where(thing: Lora | Style) -> str:
    return f"{quote(thing.name, NAME_SHOWN)} is a {_word(thing)} at {thing.provider.label}"


def _word(thing: Lora | Style) -> str:
    if isinstance(thing, Style):
        return "style"
    return "character" if thing.is_character else "LoRA"

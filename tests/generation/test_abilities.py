"""What each kind of order takes: everything in the table passes, everything else is refused with the way out."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.generation.capabilities import (
    ABILITIES,
    ASPECTS,
    Choice,
    Kind,
    Length,
    Rule,
    Span,
    Target,
    can_order,
    check_order,
    choose_target,
)
from bot.generation.order import CARRIED, DEFAULTS, carry_over, provider_order, with_style, without_style
from bot.records.dataset import SubjectKind
from bot.records.generation import OPTIONS as WORDS_OF
from bot.records.generation import GenerationSettings, Operation, Remembered
from bot.records.key import ProviderName
from bot.records.lora import Lora, Style
from tests.fakes.clock import NOON
from tests.fakes.rows import ANNA, GUILD

APIFRAME, AUROUS = ProviderName.APIFRAME, ProviderName.AUROUS
OPTIONS = sorted({option for ability in ABILITIES.values() for option in ability.settings})
CARRIED_NAMES = [name for group in CARRIED for name in group]
WHOLE = {"count", "width", "height", "steps", "seed"}


def lora(kind: SubjectKind = SubjectKind.OBJECT) -> Lora:
    return Lora(
        id=1,
        guild_id=GUILD,
        owner_id=ANNA,
        provider=kind.provider,
        remote_id="remote-1",
        name="Rex",
        trigger_word=None,
        subject_kind=kind,
        training_id=1,
        version=1,
        previous_id=None,
        note=None,
        cost=None,
        created_at=NOON,
        archived_at=None,
        missing_since=None,
        retiring_since=None,
        resting_since=None,
        event_id=None,
    )


STYLE = Style(1, GUILD, AUROUS, "lora_1", "noir", "Noir", "", None, None, None, None, False, True, None, None)
REX, MIRA = lora(), lora(SubjectKind.CHARACTER)
TARGETS = {
    Kind.TRAINED: Target(APIFRAME, REX),
    Kind.PLAIN: Target(APIFRAME),
    Kind.AUROUS: Target(AUROUS, style=STYLE),
    Kind.CHARACTER: Target(AUROUS, MIRA),
}


def inside(option: str, rule: Rule) -> st.SearchStrategy[Any]:
    match rule:
        case Span(low, high):
            return st.integers(int(low), int(high)) if option in WHOLE else st.floats(low, high)
        case Choice(values):
            return st.sampled_from(values)
        case Length(longest):
            return st.integers(1, longest).map("x".__mul__)
        case _:
            return st.booleans()


def outside(option: str, rule: Rule) -> st.SearchStrategy[Any]:
    match rule:
        case Span(low, high) if option in WHOLE:
            return st.integers(max_value=int(low) - 1) | st.integers(min_value=int(high) + 1)
        case Span(low, high):
            too_low = st.floats(max_value=low, exclude_max=True, allow_nan=False)
            too_high = st.floats(min_value=high, exclude_min=True, allow_nan=False)
            return too_low | too_high | st.just(float("nan"))
        case Choice(values):
            return st.text(max_size=5).filter(lambda text: text not in values)
        case Length(longest):
            return st.sampled_from(["", "  ", "x" * (longest + 1)])
        case _:
            return st.just("yes")


@st.composite
def orders(draw: st.DrawFn, kind: Kind) -> tuple[GenerationSettings, int]:
    """Settings and a number of references that this kind takes."""
    ability = ABILITIES[kind]
    chosen = draw(st.sets(st.sampled_from(sorted(ability.settings))))
    if chosen & {"width", "height"}:
        chosen = chosen - {"aspect", "size"} | {"width", "height"}
    references = draw(st.integers(0, ability.references_max))
    if kind is Kind.AUROUS and not references:
        chosen.discard("denoise")
    values = {option: draw(inside(option, ability.settings[option])) for option in sorted(chosen)}
    return replace(DEFAULTS, **values), references


def with_kind(of: Any) -> st.SearchStrategy[tuple[Kind, Any]]:
    return st.sampled_from(Kind).flatmap(lambda kind: st.tuples(st.just(kind), of(kind)))


@given(with_kind(orders))
def test_everything_in_the_table_can_be_ordered(drawn: tuple[Kind, tuple[GenerationSettings, int]]) -> None:
    kind, (settings, references) = drawn
    check_order(TARGETS[kind], settings, references)


@given(with_kind(lambda kind: st.sampled_from(sorted(ABILITIES[kind].settings))), st.data())
def test_a_value_out_of_range_is_refused_by_the_options_name(drawn: tuple[Kind, str], data: st.DataObject) -> None:
    kind, option = drawn
    value = data.draw(outside(option, ABILITIES[kind].settings[option]))
    with pytest.raises(UserError, match=f"`{WORDS_OF[option]}`"):
        check_order(TARGETS[kind], replace(DEFAULTS, **{option: value}), 1 if ABILITIES[kind].references_max else 0)


NOT_TAKEN = [(kind, option) for kind in Kind for option in OPTIONS if option not in ABILITIES[kind].settings]
ANY_VALUE: dict[str, Any] = {"size": "2k", "format": "png", "negative": "rain", "enhance": False}


@pytest.mark.parametrize(("kind", "option"), NOT_TAKEN)
def test_an_option_that_the_kind_does_not_take_is_refused_with_the_reason_and_the_way_out(
    kind: Kind, option: str
) -> None:
    with pytest.raises(UserError, match=rf"; {re.escape(str(TARGETS[kind]))}\. Leave `{WORDS_OF[option]}` out\.$"):
        check_order(TARGETS[kind], replace(DEFAULTS, **{option: ANY_VALUE.get(option, 1024)}), 0)


@pytest.mark.parametrize("kind", Kind)
def test_one_reference_more_than_the_kind_takes_is_refused(kind: Kind) -> None:
    most = ABILITIES[kind].references_max
    check_order(TARGETS[kind], DEFAULTS, most)
    with pytest.raises(UserError, match="eference"):
        check_order(TARGETS[kind], DEFAULTS, most + 1)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (Kind.AUROUS, {"width": 1024}, "go together"),
        (Kind.PLAIN, {"height": 512}, "go together"),
        (Kind.AUROUS, {"width": 1024, "height": 1024, "size": "2k"}, "`size`"),
        (Kind.PLAIN, {"width": 512, "height": 512, "aspect": "1:1"}, "`shape`"),
        (Kind.AUROUS, {"denoise": 0.5}, "`reference`"),
        (Kind.PLAIN, {"count": 2}, "one picture at a time"),
        (Kind.TRAINED, {"aspect": "21:9"}, "`shape` is one of"),
        (Kind.TRAINED, {"strength": 0.0}, "`strength` takes a number from 0.1 to 1.5"),
    ],
)
def test_settings_that_do_not_go_together_are_explained(kind: Kind, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_order(TARGETS[kind], replace(DEFAULTS, **settings), 0)


def test_the_refusal_of_a_negative_prompt_reads_as_a_person_would_say_it() -> None:
    with pytest.raises(UserError) as refused:
        check_order(TARGETS[Kind.TRAINED], GenerationSettings(negative="rain"), 0)
    assert str(refused.value) == (
        "`without` works with Aurous Labs styles and characters; **Rex** is a LoRA at Apiframe. Leave `without` out."
    )


PROVIDERS = st.none() | st.sampled_from(ProviderName)
KEYED = st.frozensets(st.sampled_from(ProviderName))


@given(st.sampled_from([REX, MIRA]), PROVIDERS, KEYED)
def test_a_lora_or_character_decides_who_makes_it(
    thing: Lora, default: ProviderName | None, keyed: frozenset[ProviderName]
) -> None:
    for asked in (None, thing.provider):
        target = choose_target(thing, None, asked=asked, default=default, keyed=keyed)
        assert target == Target(thing.provider, thing)


@given(PROVIDERS, KEYED)
def test_a_style_decides_who_makes_it(default: ProviderName | None, keyed: frozenset[ProviderName]) -> None:
    assert choose_target(None, STYLE, asked=None, default=default, keyed=keyed) == Target(AUROUS, style=STYLE)
    assert choose_target(MIRA, STYLE, asked=None, default=default, keyed=keyed) == Target(AUROUS, MIRA, STYLE)


@given(st.sampled_from(ProviderName), PROVIDERS, KEYED)
def test_otherwise_the_option_decides(
    asked: ProviderName, default: ProviderName | None, keyed: frozenset[ProviderName]
) -> None:
    assert choose_target(None, None, asked=asked, default=default, keyed=keyed) == Target(asked)


@pytest.mark.parametrize(
    ("default", "keyed", "chosen"),
    [
        (None, [APIFRAME, AUROUS], APIFRAME),
        (AUROUS, [APIFRAME, AUROUS], AUROUS),
        (None, [AUROUS], AUROUS),
        (APIFRAME, [AUROUS], AUROUS),
        (AUROUS, [APIFRAME], APIFRAME),
        (None, [], APIFRAME),
        (AUROUS, [], AUROUS),
    ],
)
def test_with_nothing_said_the_servers_choice_or_the_only_key_decides(
    default: ProviderName | None, keyed: list[ProviderName], chosen: ProviderName
) -> None:
    assert choose_target(None, None, asked=None, default=default, keyed=keyed).provider is chosen


@pytest.mark.parametrize(
    ("thing", "style", "asked"), [(REX, STYLE, None), (REX, None, AUROUS), (None, STYLE, APIFRAME)]
)
def test_things_of_two_providers_are_not_ordered_together(
    thing: Lora | None, style: Style | None, asked: ProviderName | None
) -> None:
    with pytest.raises(UserError, match=r"is a (LoRA|style) at .* Leave .* out\.$"):
        choose_target(thing, style, asked=asked, default=None, keyed=[APIFRAME, AUROUS])


def used(target: Target, settings: GenerationSettings) -> Remembered:
    """The member used these settings with the same LoRA and style last."""
    lora_id, style_id = (None if thing is None else thing.id for thing in (target.lora, target.style))
    return Remembered(lora_id, style_id, settings)


@pytest.mark.parametrize(
    ("target", "last", "kept"),
    [
        (Target(APIFRAME, REX), (REX.id + 1, None), {"aspect"}),
        (Target(APIFRAME, REX), (None, None), {"aspect"}),
        (Target(APIFRAME, REX), (REX.id, None), {"aspect", "strength", "guidance", "steps"}),
        (Target(AUROUS, MIRA, STYLE), (MIRA.id, STYLE.id), {"aspect", "guidance", "steps", "denoise"}),
        (Target(AUROUS, MIRA, STYLE), (MIRA.id, STYLE.id + 1), {"aspect"}),
        (Target(AUROUS, MIRA, STYLE), (MIRA.id, None), {"aspect"}),
        (Target(AUROUS), (None, STYLE.id), {"aspect"}),
        (Target(AUROUS), (None, None), {"aspect", "guidance", "steps"}),
    ],
)
def test_with_another_lora_or_style_what_belonged_to_the_last_one_starts_anew(
    target: Target, last: tuple[int | None, int | None], kept: set[str]
) -> None:
    """Mutant: without the comparison strength 0.3 of last week's LoRA is taken over to the next."""
    settings = GenerationSettings(aspect="16:9", strength=0.3, guidance=4.5, steps=11, denoise=0.4)
    filled, names = carry_over(target, DEFAULTS, frozenset(), Remembered(*last, settings), 0)
    assert set(names) == kept
    assert all(getattr(filled, name) == getattr(settings if name in kept else DEFAULTS, name) for name in CARRIED_NAMES)


INK = replace(STYLE, guidance=7.5, steps=30, denoise=0.6)


@pytest.mark.parametrize(
    ("target", "chosen", "sent"),
    [
        (Target(AUROUS, style=INK), {}, {"guidance": 7.5, "steps": 30}),
        (Target(AUROUS, style=INK), {"guidance": 3.0}, {"guidance": 3.0, "steps": 30}),
        (Target(AUROUS, MIRA, INK), {}, {"guidance": 7.5, "steps": 30, "denoise": 0.6}),
        (Target(AUROUS, MIRA, INK), {"denoise": 0.1}, {"guidance": 7.5, "steps": 30, "denoise": 0.1}),
        (Target(AUROUS, style=STYLE), {}, {}),
        (Target(APIFRAME, REX), {"steps": 11}, {"steps": 11}),
    ],
)
def test_a_style_is_sent_with_its_own_defaults_unless_the_member_chose_others(
    target: Target, chosen: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Only what was chosen is remembered."""
    settings = GenerationSettings(**chosen)
    filled = with_style(target, settings, 0)
    assert filled == GenerationSettings(**sent)
    assert can_order(target, filled, 0)
    assert without_style(target.style, filled) == settings


def test_with_a_reference_a_style_is_sent_with_its_denoise() -> None:
    assert with_style(Target(AUROUS, style=INK), DEFAULTS, 1).denoise == 0.6


ANY_SETTINGS = with_kind(orders).map(lambda drawn: drawn[1][0])


@given(with_kind(orders), ANY_SETTINGS)
def test_what_is_taken_over_makes_no_order_impossible_and_replaces_nothing_said(
    drawn: tuple[Kind, tuple[GenerationSettings, int]], last: GenerationSettings
) -> None:
    kind, (settings, references) = drawn
    said = frozenset(name for group in CARRIED for name in group if getattr(settings, name) != getattr(DEFAULTS, name))
    filled, names = carry_over(TARGETS[kind], settings, said, used(TARGETS[kind], last), references)
    assert can_order(TARGETS[kind], filled, references)
    assert said.isdisjoint(names)
    assert filled.seed == settings.seed
    for name in GenerationSettings.__slots__:
        assert getattr(filled, name) == getattr(last if name in names else settings, name)


@given(with_kind(orders))
def test_the_same_order_again_takes_everything_over_but_the_seed(
    drawn: tuple[Kind, tuple[GenerationSettings, int]],
) -> None:
    kind, (last, references) = drawn
    filled, _ = carry_over(TARGETS[kind], DEFAULTS, frozenset(), used(TARGETS[kind], last), references)
    assert filled == replace(last, seed=None)


def test_a_count_of_one_that_was_said_is_not_replaced_by_last_times() -> None:
    target, last = TARGETS[Kind.TRAINED], GenerationSettings(count=4, aspect=ASPECTS[1])
    assert carry_over(target, DEFAULTS, frozenset({"count"}), used(target, last), 0) == (
        GenerationSettings(aspect="16:9"),
        ("aspect",),
    )


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        (TARGETS[Kind.TRAINED], ("remote-1", None, None)),
        (TARGETS[Kind.CHARACTER], (None, None, "remote-1")),
        (Target(AUROUS, MIRA, STYLE), (None, "lora_1", "remote-1")),
        (TARGETS[Kind.PLAIN], (None, None, None)),
    ],
)
def test_the_provider_is_told_loras_styles_and_characters_apart(target: Target, ids: tuple[str | None, ...]) -> None:
    order = provider_order(target, "x", DEFAULTS, Operation.IMAGINE, idempotency_key="k", references=["a", "b"])
    assert (order.lora, order.style, order.character) == ids
    assert order.references == ("a", "b")

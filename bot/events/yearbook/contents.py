"""What a yearbook holds: its chapters, pictures, names and numbers. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.generation.prompt import for_people
from bot.moderation.texts import is_explicit
from bot.records.event import Event, EventMode
from bot.records.generation import GenerationSettings, say_setting
from bot.storage.events.ballots import CANDIDATE_EVERY
from bot.storage.events.yearbook import YearbookPicture

MOST_PICTURES: Final = 500
"""A larger contact sheet cannot be read. The first picture of every member goes before the second of any."""
ON_A_PAGE: Final = 6
ALT_TEXT_MAX: Final = 1000
"""Discord takes 1,024 characters (/docs/resources/message, attachment description)."""
UNKNOWN_MEMBER: Final = "Member"
EVERYONE: Final = "Everyone together"
PLACES: Final = {1: "Winner", 2: "2nd place", 3: "3rd place"}

NOBODYS: Final[Mapping[int, str]] = MappingProxyType({})

_SLUG_MAX: Final = 30

Group = tuple[int, str, int]
"""Sort key of a chapter: what sorts first, its title, and a number for chapters of the same title."""


@dataclass(frozen=True, slots=True)
class Original:
    """A picture on disk. `size` in bytes; `suffix` by its content ("png"), without the dot."""

    shown: YearbookPicture
    path: Path
    size: int
    suffix: str


@dataclass(frozen=True, slots=True)
class Plate:
    """One picture of the book. `file` is its name in the ZIP, `maker` the member it is credited to.

    `handle` is their user name, drawn where no typeface has the letters of `maker`.
    """

    number: int
    picture_id: int
    path: Path
    size: int
    file: str
    maker: str
    made_with: str
    """The LoRA and the style, empty without both."""
    prompt: str
    settings: GenerationSettings
    provider: str
    made_at: datetime
    place: int | None
    handle: str = ""

    @property
    def honour(self) -> str:
        """Such as "Winner"; empty without one."""
        return "" if self.place is None else PLACES.get(self.place, "")


@dataclass(frozen=True, slots=True)
class Chapter:
    """The pictures of one member or bake-off candidate. `page` is the page's name in the ZIP."""

    title: str
    page: str
    plates: tuple[Plate, ...]
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """`photos_by`: members whose photos the shared LoRA was trained on; `left_out`: pictures beyond MOST_PICTURES."""

    event_id: int
    title: str
    theme: str
    chapters: tuple[Chapter, ...]
    photos_by: tuple[str, ...]
    left_out: int

    @property
    def plates(self) -> tuple[Plate, ...]:
        return tuple(plate for chapter in self.chapters for plate in chapter.plates)

    @property
    def winners(self) -> tuple[Plate, ...]:
        """Best place first. Of a bake-off candidate, whose pictures all have its place, only the first."""
        firsts: dict[tuple[int, int], Plate] = {}
        for index, chapter in enumerate(self.chapters):
            for plate in chapter.plates:
                if plate.place is not None and plate.honour:
                    firsts.setdefault((plate.place, index), plate)
        return tuple(plate for _, plate in sorted(firsts.items(), key=lambda item: item[0]))


def compile_book(
    event: Event,
    originals: Sequence[Original],
    *,
    names: Mapping[int, str],
    places: Mapping[int, int],
    contributors: Sequence[int],
    handles: Mapping[int, str] = NOBODYS,
) -> Book:
    """The pictures by member, numbered through; the shared pack first, then members by name.

    `names` are what members are called here, `handles` their user names, both by user id.
    """
    groups: dict[Group, list[Original]] = {}
    for original in originals:
        groups.setdefault(_group_of(event, original.shown, names), []).append(original)
    chosen = choose_fairly(list(groups.values()), places)
    photos_by = [_name(names, user_id) for user_id in contributors] if event.mode is EventMode.SHARED else []
    return Book(
        event_id=event.id,
        title=event.name,
        theme=event.theme,
        chapters=tuple(_chapters(groups, chosen, places, handles)),
        photos_by=tuple(photos_by),
        left_out=len(originals) - len(chosen),
    )


def _chapters(
    groups: Mapping[Group, Sequence[Original]],
    chosen: Collection[int],
    places: Mapping[int, int],
    handles: Mapping[int, str],
) -> Iterator[Chapter]:
    width = max(2, len(str(len(chosen))))
    numbers, pages = count(1), count(1)
    for group in sorted(groups, key=lambda each: (each[0], each[1].casefold(), each)):
        title, handle = group[1], handles.get(group[2], "")
        plates = tuple(
            replace(_plate(original, next(numbers), width, title, places), handle=handle)
            for original in groups[group]
            if original.shown.picture.id in chosen
        )
        if plates:
            yield Chapter(title, f"pages/{next(pages):0{width}}-{slug(title)}.jpg", plates, handle)


def for_everybody(found: Sequence[YearbookPicture]) -> list[YearbookPicture]:
    """Without explicit ones, because not every reader is in an age-restricted channel."""
    return [each for each in found if not is_explicit(each.generation.prompt)]


def choose_fairly(
    groups: Collection[Sequence[Original]], places: Mapping[int, int], most: int = MOST_PICTURES
) -> frozenset[int]:
    """Ids of at most `most` pictures: those with a place, then every group's first, every group's second and so on."""
    ranked = [
        (original.shown.picture.id not in places, index, original.shown.picture.id)
        for group in groups
        for index, original in enumerate(group)
    ]
    return frozenset(picture_id for *_, picture_id in sorted(ranked)[:most])


def for_page(chapter: Chapter) -> tuple[Plate, ...]:
    """At most ON_A_PAGE pictures of a chapter, in book order: those with a place, then one of each prompt."""
    seen: set[str] = set()
    ranked = []
    for plate in chapter.plates:
        ranked.append((not plate.honour, plate.prompt in seen, plate.number, plate))
        seen.add(plate.prompt)
    best = sorted(ranked, key=lambda entry: entry[:3])[:ON_A_PAGE]
    return tuple(sorted((plate for *_, plate in best), key=lambda plate: plate.number))


def page_words(chapter: Chapter) -> str:
    """What a member's page shows, as its alt text."""
    prompts = "; ".join(f"No. {plate.number} {' '.join(plate.prompt.split())}".strip() for plate in for_page(chapter))
    return f"Yearbook page of {chapter.title} with AI-generated pictures: {prompts}"[:ALT_TEXT_MAX]


def sheet_words(book: Book) -> str:
    """What the contact sheet shows, as its alt text."""
    whose = ", ".join(f"{chapter.title} {_numbers(chapter)}" for chapter in book.chapters)
    pictures = "picture" if len(book.plates) == 1 else "pictures"
    return f"Contact sheet of {len(book.plates)} AI-generated {pictures}: {whose}"[:ALT_TEXT_MAX]


def _numbers(chapter: Chapter) -> str:
    first, last = chapter.plates[0].number, chapter.plates[-1].number
    return f"No. {first}" if first == last else f"No. {first} to {last}"


def slug(name: str) -> str:
    """The name for a file: small ASCII letters, digits and hyphens; "member" when none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_MAX].strip("-") or "member"


def say_settings(settings: GenerationSettings) -> str:
    """The settings except how many and the seed, such as "shape 16:9, strength 0.8"."""
    values = asdict(settings)
    return ", ".join(
        say_setting(name, value)
        for name, value in values.items()
        if value is not None and name not in {"count", "seed"}
    )


def _group_of(event: Event, shown: YearbookPicture, names: Mapping[int, str]) -> Group:
    index, user_id = shown.generation.pack_index, shown.generation.user_id
    if event.mode is EventMode.BAKEOFF and index is not None and index // CANDIDATE_EVERY < len(event.candidates):
        candidate = index // CANDIDATE_EVERY
        return candidate, event.candidates[candidate].label, candidate
    if event.mode is EventMode.SHARED and index is not None:
        return -1, EVERYONE, 0
    return 0, _name(names, user_id), user_id


def _name(names: Mapping[int, str], user_id: int) -> str:
    return " ".join(names.get(user_id, "").split()) or UNKNOWN_MEMBER


def _plate(original: Original, number: int, width: int, title: str, places: Mapping[int, int]) -> Plate:
    shown, generation = original.shown, original.shown.generation
    return Plate(
        number=number,
        picture_id=shown.picture.id,
        path=original.path,
        size=original.size,
        file=f"originals/{number:0{width}}-{slug(title)}.{original.suffix}",
        maker=title,
        made_with=" + ".join(name for name in (shown.lora, shown.style) if name),
        prompt=for_people(generation.prompt, shown.behind),
        settings=generation.settings,
        provider=generation.provider.label,
        made_at=generation.finished_at or generation.created_at,
        place=places.get(shown.picture.id),
    )

"""The rehearsal Aurous Labs' styles: a small catalogue with enough entries to page through. No I/O."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.sandbox.aurous.records import CROCKFORD, ID_BODY_LENGTH, RehearsalStyle

OPENED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

_ENTRIES = (
    ("Watercolor Meadow", "watercolor-meadow", "spring", "Wet edges, soft paper grain, a lot of light."),
    ("Ink & Paper", "ink-and-paper", "noir", "Brush and ink on rough paper."),
    ("Neon Alley", "neon-alley", "neon", "Rain, signs and reflections after midnight."),
    ("Golden Hour", "golden-hour", "sunset", "Low sun from behind, warm skin, long shadows."),
    ("Oil Portrait", "oil-portrait", "gold", "Heavy strokes and a dark room, as in an old gallery."),
    ("Arctic Light", "arctic-light", "snow", "Cold blue mornings and clean air."),
    ("Deep Sea", "deep-sea", "sea", "Light that falls through a lot of water."),
    ("Old Forest", "old-forest", "forest", "Moss, mist and green shade."),
    ("Autumn Letters", "autumn-letters", "autumn", "Brown paper, leaves and tea."),
    ("Starlit", "starlit", "night", "A clear night and a sky full of stars."),
    ("Film Noir", "film-noir", "noir", "Hard light through blinds, in black and white."),
    ("Cherry Blossom", "cherry-blossom", "spring", "Petals everywhere."),
    ("Desert Poster", "desert-poster", "autumn", "Flat shapes, as on an old travel poster."),
    ("Synthwave", "synthwave", "neon", "A grid, a sun and far too much purple."),
    ("Storybook", "storybook", "gold", "Gouache pictures from a bedtime book."),
    ("Blueprint", "blueprint", "sea", "White lines on blue, with measurements."),
    ("Pencil Study", "pencil-study", "noir", "Graphite, smudges and a little colour."),
    ("Paper Cut", "paper-cut", "sunset", "Layers of coloured paper with soft shadows."),
    ("Stained Glass", "stained-glass", "gold", "Lead lines and glowing colours."),
    ("Snow Globe", "snow-globe", "snow", "A tiny world behind glass."),
    ("Midnight Comic", "midnight-comic", "night", "Bold lines and dots of colour."),
    ("Botanical Plate", "botanical-plate", "forest", "Careful drawings from a plant book."),
    ("Harbour Fog", "harbour-fog", "sea", "Grey water, ropes and gulls."),
    ("Clay Figures", "clay-figures", "autumn", "Thumbprints and a small stage."),
    ("Opera Night", "opera-night", "gold", "Velvet, gold leaf and candles."),
    ("Pixel Garden", "pixel-garden", "forest", "Sixteen colours and large squares."),
    ("Linen Print", "linen-print", "spring", "Two colours, pressed by hand."),
    ("Polaroid", "polaroid", "sunset", "A faded square with a white edge."),
    ("Studio Test A", None, "noir", ""),
    ("Studio Test B", None, "snow", ""),
)


def make_catalogue() -> list[RehearsalStyle]:
    """Oldest first. Every entry leaves out other defaults, and some have no slug or no description."""
    styles = []
    for number, (name, slug, mood, description) in enumerate(_ENTRIES):
        style = make_style(name, slug, mood, description, number, OPENED_AT + timedelta(days=number))
        style.denoise = None if number % 4 == 3 else 0.4 + number % 5 / 10
        style.guidance = None if number % 3 == 2 else 4 + number % 6 / 2
        style.steps = None if number % 5 == 4 else 20 + number
        style.has_template = number % 6 == 0
        styles.append(style)
    return styles


def make_style(
    name: str, slug: str | None, mood: str, description: str, number: int, created_at: datetime
) -> RehearsalStyle:
    """The same name and number give the same ids."""
    digest = hashlib.sha256(f"style {number} {name}".encode()).digest()
    body = "".join(CROCKFORD[value % 32] for value in digest[:ID_BODY_LENGTH])
    uuid = str(UUID(bytes=digest[:16], version=4))
    return RehearsalStyle(f"lora_{body}", uuid, name, slug, description, mood, number, created_at)

"""The Grafana dashboard and the alert rules ask for what a started Darkroom really exports, and leave nothing out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import assemble
from bot.config import Settings
from bot.process.figures import CALLS
from bot.records.key import ProviderName
from tests.fakes.one_of_each import add_one_of_each
from tests.fakes.rows import ANNA, BEN
from tests.meta.sources import ROOT
from tests.web.raw_client import ask

DASHBOARD, ALERTS = ROOT / "bot/process/grafana.json", ROOT / "bot/process/alerts.yml"
OF_PROMETHEUS = {"up": {"job": {"darkroom"}}}
"""Series that Prometheus makes itself; `job` and `instance` it adds to all."""
UNSHOWN = {"process_virtual_memory_bytes": "says nothing of what a process needs"}
TOKENS = re.compile(
    r"""\s+ | (?P<number>\d+(?:\.\d+)?(?:e\d+)?) | (?P<range>\[\d+[smhd]\]) | (?P<name>[a-zA-Z_:][\w:]*)
    | (?P<matchers>\{[^{}]*\}) | (?P<open>\() | (?P<close>\)) | (?P<operator>==|!=|>=|<=|[-+*/<>,])""",
    re.VERBOSE,
)
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*')
FUNCTIONS = {"sum", "max", "min", "rate", "increase", "round", "histogram_quantile", "time", "min_over_time"}
WORDS = {"by", "and"}

Exported = dict[str, dict[str, set[str]]]


@pytest.fixture
async def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """The values of each label, by series, of an app with rows in every table and one call."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(CALLS, "counts", dict(CALLS.counts))
    monkeypatch.setattr(CALLS, "sums", dict(CALLS.sums))
    CALLS.add(ProviderName.APIFRAME, "account", seconds=1)
    settings = Settings(darkroom_data_dir=tmp_path, darkroom_listen=("127.0.0.1", 0))
    async with assemble(settings) as darkroom:
        await add_one_of_each(darkroom.database, ANNA, BEN, tag="Wilhelmina")
        await darkroom.web.start()
        text = (await ask(darkroom.web.port, "GET", "/metrics")).body.decode()
    assert "Wilhelmina" not in text
    assert not re.search(rf'="[^"]*\b{ANNA}\b', text), "a figure may have these digits, a label not"
    found: Exported = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def dashboard_expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def alert_expressions() -> list[str]:
    """Values of `expr`, on the same line or indented below it."""
    found = re.findall(r"^( +)expr: (?:\|\n((?:\1  .*\n)+)|(.+)\n)", ALERTS.read_text(), re.MULTILINE)
    return [(block or line).strip() for _, block, line in found]


EXPRESSIONS = [*dashboard_expressions(), *alert_expressions()]


def tokens(expression: str) -> Iterator[tuple[str, str]]:
    """(kind, text); ValueError where no token begins, and for parentheses that do not pair."""
    at = depth = 0
    while at < len(expression):
        match = TOKENS.match(expression, at)
        if match is None:
            raise ValueError(f"cannot be read from {expression[at:]!r}")
        depth += (match.lastgroup == "open") - (match.lastgroup == "close")
        if depth < 0:
            raise ValueError("a parenthesis closes nothing")
        if match.lastgroup is not None:
            yield match.lastgroup, match[0]
        at = match.end()
    if depth:
        raise ValueError("a parenthesis stays open")


def selections(expression: str) -> Iterator[tuple[str, dict[str, set[str]]]]:
    """(series, wanted values of each label; none for those that are only grouped by)."""
    read = list(tokens(expression))
    grouping, series, grouped, found = False, "", set(), list[tuple[str, dict[str, set[str]]]]()
    for number, (kind, text) in enumerate(read):
        follows = read[number + 1] if number + 1 < len(read) else ("", "")
        if kind == "name" and grouping:
            grouped.add(text)
        elif kind == "name" and text in WORDS:
            grouping = text == "by"
        elif (kind == "name" and follows[0] == "open") or (kind == "name" and text in FUNCTIONS):
            assert text in FUNCTIONS, f"{text} is no function that is known here"
        elif kind == "name":
            series = text
            found.append((series, {}))
        elif kind == "matchers":
            assert found, "matchers belong to a series"
            parts = [MATCHER.fullmatch(part) for part in text[1:-1].split(",")]
            assert all(parts), f"{text} cannot be read"
            found[-1][1].update({part[1]: set(part[3].split("|")) for part in parts if part})
        elif kind == "close":
            grouping = False
    for series, wanted in found:
        yield series, {**{label: set() for label in grouped}, **wanted}


def missing(expression: str, exported: Exported) -> Iterator[str]:
    """What of an expression nobody exports."""
    for series, wanted in selections(expression):
        known = OF_PROMETHEUS.get(series) or exported.get(series)
        if known is None:
            yield f"{series} is not there"
            continue
        for label in wanted.keys() - {"instance", "job"}:
            if label not in known:
                yield f"{series} has no label {label}"
            elif not wanted[label] <= known[label]:
                yield f"{series} has no {label} {wanted[label] - known[label]}"


async def test_what_is_asked_for_is_exported_and_what_is_exported_is_shown_or_alerts(exported: Exported) -> None:
    """Mutant: a series, a label or a word that was renamed on one side; a new series that nobody looks at."""
    assert [each for expression in EXPRESSIONS for each in missing(expression, exported)] == []
    for renamed in ("darkroom_nothing", 'darkroom_open_jobs{state="queued"}', 'darkroom_changes_total{event="gone"}'):
        assert len(list(missing(renamed, exported))) == 1
    asked = {series for expression in EXPRESSIONS for series, _ in selections(expression)}
    assert sorted(set(exported) - asked - set(UNSHOWN)) == []
    assert set(UNSHOWN) <= set(exported)
    assert not set(UNSHOWN) & asked


def test_every_alert_has_an_expression_a_severity_and_a_sentence() -> None:
    text = ALERTS.read_text()
    names = re.findall(r"- alert: (\w+)", text)
    assert len(names) == len(set(names)) == len(alert_expressions())
    assert len(re.findall(r"severity: (?:critical|warning|info)\}", text)) == len(names)
    assert len(re.findall(r"summary: [A-Z].*[.?]\n", text)) == len(names)


def test_panels_have_places_and_names_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    for name in ("id", "title"):
        assert len({panel[name] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("bad", ["sum(up", "up)", "up{job=darkroom}", 'up{job="darkroom"} @ 0', "wrong(up)"])
def test_an_expression_that_cannot_be_read_is_noticed(bad: str) -> None:
    with pytest.raises((ValueError, AssertionError)):
        list(selections(bad))


def test_no_number_is_red_for_being_large() -> None:
    """Mutant: a number without thresholds of its own. Grafana then paints everything above 80 red."""
    numbers = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] == "stat"]
    assert len(numbers) > 3
    for panel in numbers:
        assert [step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]] == ["text"]

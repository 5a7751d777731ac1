"""The page of a yearbook: nothing in it runs, nothing is fetched, and no text of a member comes alive."""

import base64
import csv
import hashlib
import io
import re
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import ConsoleMessage, async_playwright

from bot.events.yearbook import site as templates
from bot.events.yearbook.contents import Book
from bot.events.yearbook.pages import reduced_copy
from bot.events.yearbook.site import FORMULA_STARTS, credits_csv, harmless, site
from tests.events.yearbook.yearbooks import book, plate, png

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title></style><script src=https://evil.example/x.js></script>",
    "javascript:alert(1)",
    "<a href=https://evil.example>free</a> &lt;b&gt; \u202e\x00\ud800",
]
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "p", "h1", "h2", "bdi", "nav", "ul", "li", "a"),
    *("main", "section", "div", "figure", "img", "figcaption", "span", "footer"),
}


class Read(HTMLParser):
    """Everything that a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(one: Book, previews: dict[int, bytes] | None = None, parts: dict[str, int] | None = None) -> str:
    copies = previews or {each.number: b"jpeg" for each in one.plates}
    return "".join(site(one, copies, parts or {}))


def hostile_book(path: Path) -> Book:
    plates = [
        plate(path, number, maker=text, prompt=text, made_with=text, place=number)
        for number, text in enumerate(HOSTILE, start=1)
    ]
    return book(*plates, title=HOSTILE[3], theme=HOSTILE[1], photos_by=tuple(HOSTILE))


def test_hostile_names_and_prompts_stay_text() -> None:
    read = Read(page_of(hostile_book(Path("x.png"))))
    assert {tag for tag, _ in read.tags} == TAGS
    attributes = {name for _, each in read.tags for name in each}
    assert attributes <= {
        *("lang", "charset", "http-equiv", "content", "name", "dir", "class", "id", "href", "src", "alt"),
        *("aria-label", "loading"),
    }
    text = "".join(read.text)
    assert all(each in text for each in HOSTILE[:5])
    assert "\x00" not in text


def test_nothing_leads_out_of_the_folder() -> None:
    read = Read(page_of(hostile_book(Path("x.png"))))
    links = [each["href"] for each in read.all("a")]
    assert links
    assert all(re.fullmatch(r"#(picture|member)-\d+|originals/\d\d-anna\.png", link) for link in links)
    assert all(each["src"].startswith("data:image/jpeg;base64,") for each in read.all("img"))
    assert not any(re.search(r"url\(|@import|https?:", each) for each in css_of(page_of(book(plate(Path("x"))))))


def css_of(page: str) -> list[str]:
    return re.findall(r"<style>(.*?)</style>", page, re.DOTALL)


def test_the_policy_allows_this_style_and_inline_pictures_only() -> None:
    page = page_of(book(plate(Path("x.png"))))
    policies = [each["content"] for each in Read(page).all("meta") if "http-equiv" in each]
    [css] = css_of(page)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert " style=" not in page


def test_every_picture_has_its_words_and_is_labelled() -> None:
    plates = [plate(Path("x.png"), number, prompt="a knight " * 100) for number in (1, 2)]
    read = Read(page_of(book(*plates)))
    images = read.all("img")
    assert len(images) == 2
    assert all(re.match(r"AI-generated picture [12] by Anna: a knight", each["alt"]) for each in images)
    assert all(len(each["alt"]) < 250 for each in images)
    assert read.text.count("AI-generated") == 2
    assert "press “More” below the picture and “I am in this”" in page_of(book(*plates))


def test_the_pictures_in_the_page_are_the_reduced_copies() -> None:
    [image] = Read(page_of(book(plate(Path("x.png"))), {1: b"the copy"})).all("img")
    assert base64.b64decode(image["src"].partition(",")[2]) == b"the copy"


def test_winners_contributors_and_what_was_left_out_are_named() -> None:
    plates = [plate(Path("x"), 1, place=1), plate(Path("x"), 2, maker="Ben", place=2), plate(Path("x"), 3)]
    page = page_of(book(*plates, photos_by=("Cleo",), left_out=4))
    text = " ".join("".join(Read(page).text).split())
    assert "Winner Anna, no. 1 2nd place Ben, no. 2" in text
    assert "Trained on photos from Cleo." in text
    assert "3 AI-generated pictures. 4 more did not fit" in text


def test_several_zip_files_are_explained() -> None:
    one = book(plate(Path("x"), 1), plate(Path("x"), 2))
    split = page_of(one, parts={"originals/01-anna.png": 1, "originals/02-anna.png": 2})
    assert "spread over 2 ZIP files" in split
    assert "(in ZIP file 2)" in split
    assert "ZIP" not in page_of(one, parts={"originals/01-anna.png": 1, "originals/02-anna.png": 1})


def test_the_templates_are_packed_into_the_wheel() -> None:
    folder = Path(templates.__file__).parent
    setup = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["tool"]["setuptools"]
    packed = {path for pattern in setup["package-data"][templates.__package__] for path in folder.glob(pattern)}
    assert packed == {path for path in folder.iterdir() if path.suffix not in {".py", ""}}


@given(st.text(max_size=50))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not harmless(text).startswith(FORMULA_STARTS)
    assert "\n" not in harmless(text)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "\x00=1", " =1"])
def test_formulas_are_quoted(text: str) -> None:
    assert harmless(text).startswith("'")


def test_the_credits_are_one_row_for_each_picture() -> None:
    one = book(plate(Path("x"), 1, prompt='say "hi",\nthen go'), plate(Path("x"), 2, maker="=cmd|' /C calc'!A0"))
    rows = list(csv.DictReader(io.StringIO(credits_csv(one))))
    assert [row["prompt"] for row in rows] == ['say "hi", then go', "TORKPN in a forest"]
    assert rows[1]["member"].startswith("'=cmd")


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """index.html in a folder of its own, with hostile texts and one original."""
    original = tmp_path / "originals" / "01-anna.png"
    original.parent.mkdir()
    original.write_bytes(png(1))
    one = hostile_book(original)
    copies = {each.number: reduced_copy(original, 60_000) for each in one.plates}
    page = tmp_path / "index.html"
    page.write_text(page_of(one, copies), encoding="utf-8")
    return page


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_opens_it_from_disk_without_a_request_or_a_complaint(opened: Path, scheme: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("the distribution's Chromium is not installed")
    requests: list[str] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        phone = await browser.new_page(
            viewport={"width": 360, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
        )
        phone.on("request", lambda request: requests.append(request.url))
        phone.on("console", note)
        phone.on("pageerror", lambda error: complaints.append(str(error)))
        phone.on("dialog", lambda dialog: complaints.append(dialog.message))
        await phone.goto(opened.as_uri())
        shown = await phone.eval_on_selector_all(
            "img", "all => all.map(one => (one.loading = 'eager', one.decode().then(() => one.naturalWidth)))"
        )
        widths = await phone.evaluate("() => Promise.all([...document.images].map(one => one.naturalWidth))")
        paper = await phone.evaluate("() => getComputedStyle(document.body).backgroundColor")
        overflow = await phone.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        await phone.get_by_role("link", name="Original").first.click()
        await phone.wait_for_url("**/originals/01-anna.png")
        await browser.close()
    outside = [url for url in requests if not url.startswith(("file:", "data:"))]
    assert len(shown) == len(widths) == len(HOSTILE)
    assert min(widths) > 0
    assert (outside, complaints) == ([], [])
    assert paper == ("rgb(29, 26, 22)" if scheme == "dark" else "rgb(246, 240, 227)")
    assert overflow <= 0

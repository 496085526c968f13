"""Pages as a browser shows them: nothing is fetched, nothing runs over, text can be read."""

import pytest
from chromium import FOUND
from command import SAMPLE, STARTER, succeeds, write
from pages import read_page, report_page
from test_pages import STRINGS, distinct, predictions

pytestmark = pytest.mark.skipif(FOUND is None, reason="no Chromium is installed here")

PHONE, DESKTOP = (360, 800), (1280, 900)

PROBE = """(() => {
for (const each of document.querySelectorAll("details")) each.open = true;
const seen = { width: window.innerWidth, paper: getComputedStyle(document.body).backgroundColor,
  overflow: document.documentElement.scrollWidth - window.innerWidth, faint: [],
  small: [], outside: [], overlapping: [], crossed: [], tables: [] };
const root = getComputedStyle(document.documentElement);
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const named = name => {
  const hex = root.getPropertyValue("--" + name).trim();
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
};
const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const ground = element => {
  const on = (element.getAttribute("class") || "").match(/\\bon-([a-z]+\\d?)\\b/);
  if (on) return named(on[1]);
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
};
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const box = element.getBoundingClientRect();
  if (!own || !box.width || ["SCRIPT", "title", "desc"].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const ink = rgb(element.tagName === "text" ? style.fill : style.color);
  const words = element.textContent.trim().slice(0, 40);
  const found = contrast(ink, ground(element));
  if (found < 4.5) seen.faint.push([words, found]);
  if (parseFloat(style.fontSize) < 11) seen.small.push([words, style.fontSize]);
  if (!element.closest(".scroll") && (box.left < -1 || box.right > window.innerWidth + 1))
    seen.outside.push([words, box.left, box.right]);
}
for (const svg of document.querySelectorAll("svg[role]")) {
  const boxes = [...svg.querySelectorAll("text")].map(t => [t, t.getBoundingClientRect()]);
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 3) seen.overlapping.push([one.textContent, other.textContent]);
  }));
}
for (const figure of document.querySelectorAll("figure")) {
  const lines = [...figure.querySelectorAll("div svg line, div svg circle, div svg path")]
    .filter(line => !line.closest(".legend")).map(line => line.getBoundingClientRect());
  for (const text of figure.querySelectorAll("div svg text")) {
    const a = text.getBoundingClientRect();
    if (lines.some(b => b.left < a.right - 1 && b.right > a.left + 1
        && b.top < a.bottom - 3 && b.bottom > a.top + 3)) seen.crossed.push(text.textContent);
  }
}
for (const table of document.querySelectorAll("table"))
  seen.tables.push([...table.rows].map(row => [...row.cells].map(cell => cell.textContent)));
return seen;
})()"""


def probe(browser, path, size, scheme="light"):
    """Return what a reader sees of a page."""
    width, height = size
    browser.send(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", features=features)
    browser.open(path)
    return browser.run(PROBE)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report on the sample, one on a coded corpus, and an evaluation by the bundled model."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    tables = {"sample": SAMPLE / "paragraphs.csv", "coded": STARTER / "starter_test.csv"}
    for name, table in tables.items():
        answers = folder / f"{name}.csv"
        succeeds("predict", table, "-o", answers, "--prefix", "p_")
        succeeds("report", answers, "--prefix", "p_")
        found[name] = answers.with_suffix(".html")
    found["article"] = folder / "article.html"
    succeeds("read", SAMPLE / "article.txt", "-o", found["article"])
    found["evaluation"] = folder / "evaluation.html"
    succeeds("evaluate", tables["coded"], "--stress", "--report", found["evaluation"])
    return found


@pytest.mark.parametrize("name", ["sample", "evaluation"])
def test_a_page_asks_for_nothing_and_has_no_error(name, pages, browser):
    browser.open(pages[name])
    assert browser.asked == [pages[name].as_uri()]
    assert browser.complaints == []


@pytest.mark.parametrize("name", ["coded", "evaluation", "article"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 23, 26)")]
)
def test_a_page_can_be_read(name, size, scheme, paper, pages, browser):
    seen = probe(browser, pages[name], size, scheme)
    assert (seen["width"], seen["paper"]) == (size[0], paper)
    assert seen["overflow"] <= 0
    faults = ("faint", "small", "outside", "overlapping", "crossed")
    assert {name: seen[name] for name in faults if seen[name]} == {}
    written = read_page(pages[name].read_bytes()).tables
    assert [[[cell.replace("\n", "") for cell in row] for row in table] for table in written] == (
        seen["tables"]
    )


REASONS = """[...document.querySelectorAll(".why")].filter(each => each.offsetHeight).map(each => {
const box = each.getBoundingClientRect();
return [each.innerText, box.left >= 0 && box.right <= innerWidth && box.top >= 0]; })"""


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_mention_shows_its_reason_to_the_pointer_the_keyboard_and_a_finger(size, pages, browser):
    probe(browser, pages["article"], size)
    browser.send("Emulation.setFocusEmulationEnabled", enabled=True)
    assert browser.run(REASONS) == []
    for place in (0, 4, 9):
        mention = f"document.querySelectorAll('article .m')[{place}]"
        browser.run(f"{mention}.scrollIntoView(); {mention}.focus()")
        ((reason, inside),) = browser.run(REASONS)
        spoken = browser.run(f"{mention}.getAttribute('aria-description')")
        assert spoken.startswith(reason.split(",")[0])
        assert inside
        browser.run("document.activeElement.blur()")
        box = browser.run(f"{mention}.getClientRects()[0].toJSON()")
        place = {"x": box["left"] + 5, "y": box["top"] + 5}
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", **place)
        assert browser.run(REASONS) == [[reason, True]]
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
        assert browser.run(REASONS) == []
    browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)
    for kind, points in (("touchStart", [place]), ("touchEnd", [])):
        browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    while not (seen := browser.run(REASONS)):  # a tap becomes a click in a moment
        pass
    assert seen == [[reason, True]]
    browser.send("Emulation.setTouchEmulationEnabled", enabled=False)
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    browser.run(f"{mention}.focus()")
    browser.press("Tab")
    assert browser.run("document.activeElement.className").startswith("m ")
    ((other, _),) = browser.run(REASONS)
    assert other != reason


def test_an_actor_is_chosen_without_a_script(pages, browser):
    probe(browser, pages["article"], DESKTOP)
    count = "[...document.querySelectorAll('article .para')].filter(e => e.offsetHeight).length"
    everything = browser.run(count)
    browser.run("document.querySelector('.only3').click()")
    assert 0 < (few := browser.run(count)) < everything
    hidden = "document.querySelector('article .para:not(.a3) .m[id]')"
    browser.run(f"document.querySelector(`aside a[href='#${{{hidden}.id}}']`).click()")
    while not browser.run(f"{hidden}.matches(':target')"):  # in a moment
        pass
    assert browser.run(count) == few + 1
    browser.run("document.querySelector('form p input').click()")
    assert browser.run(count) == everything


def test_a_long_name_is_broken_and_a_sign_stays_with_it(tmp_path, browser):
    text = "Poland thanks Germany for its tankers\n\n"
    text += "Russia condemned the Organization for Security and Co-operation in Europe.\n"
    page = tmp_path / "page.html"
    succeeds("read", write(tmp_path / "a.txt", text), "-o", page)
    for size in (PHONE, DESKTOP):
        assert probe(browser, page, size)["overflow"] <= 0
    assert browser.run("document.querySelectorAll('h1 .m')[1].getClientRects().length") == 1


def test_what_cannot_be_read_would_be_seen(tmp_path, browser):
    body = (
        "<p style='color: #777; background: #888'>faint</p><p style='font-size: 9px'>small</p>"
        "<p style='width: 500px'>wide</p><svg role='img'><text y='20'>one</text>"
        "<text y='22'>two</text></svg><figure><div><svg><text y='20'>three</text>"
        "<line x1='5' x2='5' y1='0' y2='40'/></svg></div></figure>"
    )
    html = f"<!doctype html><body style='background: #fff'>{body}</body>"
    page = write(tmp_path / "a.html", html)
    seen = probe(browser, page, PHONE)
    assert [words for words, _ in seen["faint"]] == ["faint"]
    assert [words for words, _ in seen["small"]] == ["small"]
    assert [words for words, *_ in seen["outside"]] == ["wide"]
    assert seen["overlapping"] == [["one", "two"]]
    assert seen["crossed"] == ["three"]
    assert seen["overflow"] == 500 + 8 - PHONE[0]


# --- Hostile strings ---


def test_hostile_strings_make_no_page_run_over(tmp_path, browser):
    report_page(predictions(tmp_path / "answers.csv", distinct(STRINGS[100:112])))
    seen = probe(browser, tmp_path / "page.html", PHONE)
    assert seen["overflow"] <= 0
    assert seen["outside"] == []
    assert seen["overlapping"] == []

"""Pages as a browser shows them: nothing is fetched, nothing runs over, text can be read."""

import json
import os
import re
import shutil
import subprocess
from html import escape, unescape
from urllib.parse import urlsplit

import pytest
from command import SAMPLE, STARTER, invoke, write
from pages import read_page
from test_pages import STRINGS, evaluation_page

from stance.reporting.columns import Request
from stance.reporting.findings import gather
from stance.reporting.predictions import compose

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

PHONE, DESKTOP = (360, 800), (1280, 900)

QUIET = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--disable-extensions", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"),
    "--disable-features=OptimizationHints,MediaRouter,Translate",
)

OWN = re.compile(r"(^|\.)(google|googleapis|gvt1|gstatic)\.com$")
"""Hosts that the browser itself looks for, whatever page it shows."""

PROBE = """
const seen = { width: window.innerWidth, paper: getComputedStyle(document.body).backgroundColor,
  overflow: document.documentElement.scrollWidth - window.innerWidth, faint: [],
  small: [], outside: [], overlapping: [], tables: [] };
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
  const on = (element.getAttribute("class") || "").match(/\\bon-(against|neutral|favor)\\b/);
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
for (const table of document.querySelectorAll("table"))
  seen.tables.push([...table.rows].map(row => [...row.cells].map(cell => cell.textContent)));
const out = parent.document.createElement("pre");
out.id = "probe";
out.textContent = JSON.stringify(seen);
parent.document.body.append(out);
"""


def browse(path, folder, size, *options):
    """Show a page; return its elements as HTML, what the browser logged, and hosts asked for."""
    log = folder / "net.json"
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    run = subprocess.run(
        [CHROMIUM, *QUIET, *sandbox, *options, f"--user-data-dir={folder / 'profile'}",
         f"--window-size={size[0]},{size[1]}", "--enable-logging=stderr", f"--log-net-log={log}",
         "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    events = json.loads(log.read_text("utf-8"))["events"]
    asked = {(event.get("params") or {}).get("url", "") for event in events}
    hosts = {urlsplit(url).hostname or "" for url in asked if not url.startswith("file:")}
    return run.stdout, run.stderr, {host for host in hosts if host and not OWN.search(host)}


def probe(path, folder, size, *options):
    """Return what a script sees in a copy of the page that lets it run."""
    html = path.read_text("utf-8")
    open_page = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert open_page != html
    inner = escape(open_page.replace("</body>", f"<script>{PROBE}</script></body>"))
    # A window is never as narrow as a phone, but a frame is.
    frame = (
        f'<iframe srcdoc="{inner}" width="{size[0]}" height="{size[1]}" '
        'style="border: 0; color-scheme: light dark"></iframe>'
    )
    head = '<!doctype html><html style="color-scheme: light dark">'
    copy = write(folder / "copy.html", f"{head}<body>{frame}</body></html>")
    dom = browse(copy, folder, DESKTOP, *options)[0]
    return json.loads(unescape(re.search('<pre id="probe">(.*?)</pre>', dom, re.DOTALL)[1]))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report on the sample, one on a coded corpus, and an evaluation by the bundled model."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    tables = {"sample": SAMPLE / "paragraphs.csv", "coded": STARTER / "starter_test.csv"}
    for name, table in tables.items():
        answers = folder / f"{name}.csv"
        assert invoke("predict", table, "-o", answers, "--prefix", "p_").exit_code == 0
        args = ("--prefix", "p_", "--corrected")
        assert invoke("report", answers, *args).exit_code == 0
        found[name] = answers.with_suffix(".html")
    found["evaluation"] = folder / "evaluation.html"
    args = ("evaluate", tables["coded"], "--stress", "--report", found["evaluation"])
    assert invoke(*args).exit_code == 0
    return found


@pytest.mark.parametrize("name", ["sample", "evaluation"])
def test_a_page_asks_for_nothing_and_has_no_error(name, pages, tmp_path):
    dom, log, hosts = browse(pages[name], tmp_path, DESKTOP)
    assert hosts == set()
    assert "CONSOLE" not in log
    assert dom.count("<figure") == pages[name].read_text("utf-8").count("<figure") > 3


def test_a_request_would_be_seen(tmp_path):
    page = write(tmp_path / "a.html", "<!doctype html><img src='http://probe.invalid/x.png'>")
    assert browse(page, tmp_path, DESKTOP)[2] == {"probe.invalid"}


def test_an_error_would_be_seen(tmp_path):
    page = write(tmp_path / "a.html", "<!doctype html><script>console.error('seen')</script>")
    assert "CONSOLE" in browse(page, tmp_path, DESKTOP)[1]


@pytest.mark.parametrize("name", ["coded", "evaluation"])
@pytest.mark.parametrize(
    ("size", "scheme", "paper"),
    [(PHONE, 1, "rgb(255, 255, 255)"), (DESKTOP, 0, "rgb(21, 23, 26)")],
    ids=["phone-light", "desktop-dark"],
)
def test_a_page_can_be_read(name, size, scheme, paper, pages, tmp_path):
    option = f"--blink-settings=preferredColorScheme={scheme}"
    seen = probe(pages[name], tmp_path, size, option)
    assert (seen["width"], seen["paper"]) == (size[0], paper)
    assert seen["overflow"] <= 0
    assert seen["faint"] == []
    assert seen["small"] == []
    assert seen["outside"] == []
    assert seen["overlapping"] == []
    written = read_page(pages[name].read_bytes()).tables
    assert [[[cell.replace("\n", "") for cell in row] for row in table] for table in written] == (
        seen["tables"]
    )


def test_what_cannot_be_read_would_be_seen(tmp_path):
    policy = '<meta http-equiv="Content-Security-Policy" content="">'
    body = (
        "<p style='color: #777; background: #888'>faint</p><p style='font-size: 9px'>small</p>"
        "<p style='width: 500px'>wide</p><svg role='img'><text y='20'>one</text>"
        "<text y='22'>two</text></svg>"
    )
    page = write(
        tmp_path / "a.html", f"<!doctype html>{policy}<body style='background: #fff'>{body}</body>"
    )
    seen = probe(page, tmp_path, PHONE)
    assert [words for words, _ in seen["faint"]] == ["faint"]
    assert [words for words, _ in seen["small"]] == ["small"]
    assert [words for words, *_ in seen["outside"]] == ["wide"]
    assert seen["overlapping"] == [["one", "two"]]
    assert seen["overflow"] == 500 + 8 - PHONE[0]


def test_hostile_strings_run_nothing_in_a_browser(tmp_path):
    page = tmp_path / "hostile.html"
    page.write_bytes(evaluation_page(STRINGS[:200]))
    dom, log, hosts = browse(page, tmp_path, DESKTOP)
    assert hosts == set()
    assert "CONSOLE" not in log
    starts = len(re.findall("<[a-z]", page.read_text("utf-8")))
    assert len(re.findall("<[a-z]", dom)) == starts


def test_hostile_strings_make_no_page_run_over(tmp_path):
    from test_pages import distinct, predictions

    answers = predictions(tmp_path / "answers.csv", distinct(STRINGS[100:112]))
    page = tmp_path / "hostile.html"
    page.write_bytes(compose(gather(Request(answers), None)))
    seen = probe(page, tmp_path, PHONE)
    assert seen["overflow"] <= 0
    assert seen["outside"] == []

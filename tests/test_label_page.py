"""The page to label on: for one coder alone, by keyboard, and nothing is lost when it is killed."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from chromium import FOUND
from test_label import sample

from stance.labelling import Label
from stance.labelling.store import Store, read_task

browsed = pytest.mark.skipif(FOUND is None, reason="no Chromium is installed here")


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen
    address: str

    @property
    def port(self):
        return urlsplit(self.address).port

    @property
    def key(self):
        return urlsplit(self.address).path[1:]

    def ask(self, path, body=None, method="POST", **headers):
        """Send a request as the page does, but for the headers; return status, headers, body."""
        own = {"content-type": "application/json", "x-stance-key": self.key}
        own = own if method == "POST" else {}
        wanted = own | {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, 30)) as line:
            line.request(method, path, data, {k: v for k, v in wanted.items() if v is not None})
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def say(self, verb, **body):
        status, _, found = self.ask(f"/ask/{verb}", body)
        assert status == 200, found
        return json.loads(found)


@contextlib.contextmanager
def serving(table, *options):
    command = [sys.executable, "-m", "stance", "label", table, "--no-browser", *options]
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Server(process, process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with serving(sample(folder / "to_label.csv"), "--coder", "anna") as found:
        yield found


def test_the_page_is_secret_and_may_load_and_be_framed_by_nothing(server):
    assert urlsplit(server.address).hostname == "127.0.0.1"
    assert len(server.key) >= 43  # 32 random bytes
    status, headers, page = server.ask(f"/{server.key}", method="GET")
    policy = headers["content-security-policy"]
    assert status == 200
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers
    assert "://" not in page.replace("data:,", "")
    assert "spoke." not in page  # it asks for each as it is needed


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/", "GET", {}, 404),
        ("/wrong", "GET", {}, 403),
        ("/KEY", "GET", {"host": "evil.example"}, 403),
        ("/KEY", "GET", {"host": "localhost:PORT"}, 403),
        ("/KEY", "GET", {"sec_fetch_site": "cross-site"}, 403),
        ("/ask/next", "POST", {"x_stance_key": "wrong"}, 403),
        ("/ask/next", "POST", {"x_stance_key": None}, 403),
        ("/ask/next", "POST", {"origin": "http://evil.example"}, 403),
        ("/ask/next", "POST", {"origin": "null"}, 403),
        ("/ask/next", "POST", {"origin": "http://127.0.0.1:1"}, 403),
        ("/ask/next", "POST", {"sec_fetch_site": "same-site"}, 403),
        ("/ask/next", "GET", {}, 405),
        ("/ask/nothing", "POST", {}, 422),
        ("/ask/next", "POST", {"origin": "http://127.0.0.1:PORT"}, 200),
    ],
)
def test_nobody_but_the_page_is_answered(path, method, headers, status, server):
    headers = {k: v and v.replace("PORT", str(server.port)) for k, v in headers.items()}
    answer = server.ask(path.replace("KEY", server.key), {}, method, **headers)
    assert answer[0] == status
    assert status == 200 or "Paragraph" not in answer[2]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 50_000, "not saved: what the page sent is not a label"),
        (b"[]", "what the page sent is not a label"),
        (b"{}", "what the page sent is not a label"),
        (b'{"pair": "1", "label": {"secret": 1}}', "what the page sent is not a label"),
        (b'{"pair": "1", "label": {"stance": "pro"}}', "not saved: stance 'pro' is not"),
        (b'{"pair": 1, "label": {"stance": "neutral", "false_match": "no"}}', "is not a label"),
        (b'{"pair": 1, "label": {"unsure": true}}', "what the page sent is not a label"),
    ],
)
def test_a_body_that_is_not_a_label_is_refused(body, reason, server):
    status, _, answer = server.ask("/ask/label", body)
    assert (status, reason in json.loads(answer)["error"]) == (422, True)


def test_every_label_outlasts_kill_9(tmp_path):
    table = sample(tmp_path / "to_label.csv")
    with serving(table, "--coder", "anna") as server:
        item, said = server.say("next"), {}
        for stance in ("favor", "against", "neutral"):
            said[item["pair"]] = stance
            item = server.say("label", pair=item["pair"], label={"stance": stance})
        assert item["progress"]["done"] == 3
        # What has been answered is in the file alone by now, without its journal.
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes((tmp_path / "to_label.sqlite").read_bytes())
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(30)
    for path in (copy, tmp_path / "to_label.sqlite"):
        with Store(path, create=False) as store:
            mine = store.labels()["anna"]
            assert {key: label.stance for key, label in mine.items()} == said
    with serving(table, "--coder", "anna") as again:
        assert again.say("next")["pair"] == item["pair"]


def test_ctrl_c_ends_at_once_and_says_what_is_kept(tmp_path):
    with serving(sample(tmp_path / "to_label.csv"), "--coder", "anna") as server:
        pair = server.say("next")["pair"]
        with socket.create_connection(("127.0.0.1", server.port), 30) as line:  # and is cut off
            head = f"POST /ask/label HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n"
            head += f"x-stance-key: {server.key}\r\ncontent-length: 9\r\n\r\n{{"
            line.sendall(head.encode())
        server.say("label", pair=pair, label={"unsure": True})
        server.process.send_signal(signal.SIGINT)
        _, stderr = server.process.communicate(timeout=10)
        assert server.process.returncode == 130
    assert stderr.splitlines()[-1] == "stance: interrupted"
    assert "Traceback" not in stderr


# --- In a browser ---


def settle(browser, words):
    """Wait until the page says something, and keys count again."""
    script = f"""(async () => {{
      for (let i = 0; i < 600 && !document.body.innerText.includes({json.dumps(words)}); i++)
        await new Promise(done => setTimeout(done, 50));
      await new Promise(done => setTimeout(done, 300));
      return document.body.innerText; }})()"""
    found = browser.send(
        "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
    )
    text = found["result"]["value"]
    assert words in text
    return text


@pytest.mark.endurance
@browsed
def test_a_table_is_labelled_by_keyboard_alone(browser, tmp_path):
    table = sample(tmp_path / "to_label.csv", 6)
    size = {"width": 1280, "height": 860, "deviceScaleFactor": 1, "mobile": False}
    browser.send("Emulation.setDeviceMetricsOverride", **size)
    with serving(table, "--coder", "anna", "--ask", "holder,sentiment") as server:
        browser.open(server.address)
        settle(browser, "0 of 6")
        for done, steps in enumerate(("1a1", "22", "3o3", "01"), 1):
            for place, key in enumerate(steps):
                browser.press(key)
                if place == 0:
                    settle(browser, "Whose stance" if key in "13" else "Tone of the whole")
            settle(browser, f"{done} of 6")
        browser.press("n")
        browser.send("Input.insertText", text="1 is odd <b>")
        browser.press("Escape", "u")
        settle(browser, "5 of 6 · 1 unsure")
        browser.press("z")
        settle(browser, "Back to an earlier paragraph")
        assert browser.run("document.getElementById('note').value") == "1 is odd <b>"
        browser.press("3")
        settle(browser, "Whose stance is it?")
        browser.press("t")
        browser.send("Input.insertText", text="Nobody known")
        browser.press("Enter", "1")
        settle(browser, "holder 'Nobody known' is not author")
        browser.press("3", "a", "2")
        settle(browser, "Saved: favor.")
        browser.press("u")
        settle(browser, "6 of 6 · 1 unsure")  # which comes again
        browser.press("2", "2")
        settle(browser, "All 6 rows are labelled.")
        (refused,) = browser.complaints  # the holder that nobody knows
        assert "status of 422" in refused["entry"]["text"]
        assert all(
            url.startswith(server.address[:22]) for url in browser.asked if url[:5] != "data:"
        )
    task = read_task(table)
    with Store(tmp_path / "to_label.sqlite") as store:
        mine = store.labels()["anna"]
    said = [mine[pair.key] for pair in task.shuffled("anna")]
    assert said == [
        Label("against", "author", "negative"),
        Label("neutral", "", "neutral"),
        Label("favor", "other", "positive"),
        Label("neutral", "", "negative", false_match=True),
        Label("favor", "author", "neutral", note="1 is odd <b>"),
        Label("neutral", "", "neutral"),
    ]

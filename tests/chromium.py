"""A browser that tests steer through a pipe (Chrome DevTools Protocol)."""

import json
import os
import select
import shutil
import subprocess
import sys

FOUND = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

QUIET = (
    *("--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-extensions", "--hide-scrollbars"),
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",),
    "--disable-features=OptimizationHints,MediaRouter,Translate",
)

SANDBOX = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
"""Chromium has no sandbox for root."""


PATIENCE = 60
"""Seconds."""

START = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, pipe in enumerate(pipes, 3):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""A browser reads from pipe 3 and writes to pipe 4."""


class Browser:
    """One page of a browser."""

    def __init__(self, folder):
        inward, self._out = os.pipe()
        self._in, outward = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(inward), str(outward), FOUND, *QUIET, *SANDBOX,
             "--remote-debugging-pipe", f"--user-data-dir={folder / 'steered'}", "about:blank"],
            pass_fds=(inward, outward), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(inward)
        os.close(outward)
        self._number, self._rest, self._session, self.events = 0, b"", None, []

    def attach(self):
        """Wait until there is a page, and steer it."""
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        found = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._in)
        os.close(self._out)

    def send(self, method, **params):
        """Ask for something; return the answer."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while (found := self._read()).get("id") != self._number:
            self.events.append(found)
        assert "error" not in found, found
        return found["result"]

    def _read(self):
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], PATIENCE)[0], "the browser says nothing"
            piece = os.read(self._in, 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def wait(self, method, **wanted):
        """Wait until something has happened that is not yet told of; return it."""
        while True:
            for event in self.events:
                told = event["params"]
                if event["method"] == method and wanted.items() <= told.items():
                    self.events.remove(event)
                    return told
            self.events.append(self._read())

    def open(self, path):
        """Show a file, or an address, as soon as all of it is there."""
        self.events.clear()
        self.send("Page.navigate", url=path if isinstance(path, str) else path.as_uri())
        self.wait("Page.loadEventFired")

    def press(self, *keys):
        """Press and release keys, such as "1" or "Enter", one after the other."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, ord(key.upper()[0]))
            asked = {"key": key, "windowsVirtualKeyCode": code}
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **asked)
            self.send("Input.dispatchKeyEvent", type="keyUp", **asked)

    def run(self, script):
        """Return the value of a script, which may do what a user may."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    @property
    def asked(self):
        """Addresses that the page has asked for, itself first."""
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]

    @property
    def complaints(self):
        """What the console holds."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for event in self.events if event["method"] in kinds]

"""A real browser, if the machine has one: Chromium without a window, driven by its own protocol over a pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAB, ENTER = ("Tab", 9), ("Enter", 13)


def found() -> str | None:
    """Return where the browser is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A page in a browser: what is asked of it by the names of the protocol."""

    def __init__(self, program: str, home: Path) -> None:
        """Start it, with a profile of its own."""
        to_read, to_write = os.pipe(), os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"]
        self._output = os.open(home / "chromium.log", os.O_CREAT | os.O_WRONLY)
        actions = [
            (os.POSIX_SPAWN_DUP2, to_read[0], 63),  # out of the way of 3 and 4, where the browser looks
            (os.POSIX_SPAWN_DUP2, to_write[1], 64),
            (os.POSIX_SPAWN_DUP2, 63, 3),
            (os.POSIX_SPAWN_DUP2, 64, 4),
            (os.POSIX_SPAWN_DUP2, self._output, 1),
            (os.POSIX_SPAWN_DUP2, self._output, 2),
        ]
        arguments = [program, *options, f"--user-data-dir={home / 'profile'}", "about:blank"]
        self._process = os.posix_spawn(program, arguments, os.environ, file_actions=actions, setsid=True)
        os.close(to_read[0])
        os.close(to_write[1])
        self._write, self._read = to_read[1], to_write[0]
        self._number, self._buffer = 0, b""
        self.asked_for: list[str] = []  # addresses
        (target,) = (one for one in self("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session: str | None = attached["sessionId"]
        self("Page.enable")
        self("Network.enable")

    _session: str | None = None

    def __call__(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol; return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.asked_for.append(message["params"]["request"]["url"])
        return message

    def open(self, page: Path, width: int, *, dark: bool = False) -> None:
        """Open a page in a window of a width, and wait until it is there."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])
        self("Page.navigate", url=page.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, code: str) -> Any:
        """Return what an expression gives in the page."""
        found = self("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: tuple[str, int]) -> None:
        """Press a key and let it go."""
        name, code = key
        text = {"text": "\r"} if key == ENTER else {}
        self("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, windowsVirtualKeyCode=code, **text)
        self("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=code)

    def photograph(self) -> bytes:
        """Return the whole page as PNG."""
        return base64.b64decode(self("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def close(self) -> None:
        """End it, with all that it has started."""
        os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        for one in (self._write, self._read, self._output):
            os.close(one)

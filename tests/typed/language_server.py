"""What an editor shows, as pyright's language server tells it: one file, hovers, signatures, and where a name leads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orchestration

if TYPE_CHECKING:
    from types import TracebackType


class LanguageServer:
    """A language server that has one file open; a context manager."""

    def __init__(self, program: str, root: Path, text: str) -> None:
        """Know the folder, and the text of the file in it."""
        self.path = root / "shown.py"
        self.path.write_text(text, encoding="utf-8")
        package = str(Path(orchestration.__file__).parents[1])  # for where it is not installed
        (root / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [package]}), encoding="utf-8")
        self._lines = text.splitlines()
        self._number = 0
        self._root = root
        self._program = program

    def __enter__(self) -> Self:
        """Start it, and open the file."""
        self._process = subprocess.Popen(
            [self._program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        folder = {"uri": self._root.as_uri(), "name": "shown"}
        able = {"workspace": {"configuration": True}, "textDocument": {"hover": {"contentFormat": ["plaintext"]}}}
        self.ask("initialize", processId=os.getpid(), workspaceFolders=[folder], capabilities=able)
        self._tell("initialized")
        text = self.path.read_text(encoding="utf-8")
        document = {"uri": self.path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self._tell("textDocument/didOpen", textDocument=document)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def hover(self, code: str, within: str) -> str:
        """Return what is shown over a piece of code, in the line that holds `within`."""
        found = self.ask("textDocument/hover", **self._at(code, within))
        return "" if found is None else str(found["contents"]["value"])

    def signatures(self, code: str, within: str) -> dict[str, Any]:
        """Return what is shown while the arguments behind a piece of code are written."""
        found = self.ask("textDocument/signatureHelp", **self._at(code, within, behind=True))
        assert isinstance(found, dict)
        return found

    def definitions(self, code: str, within: str) -> list[tuple[str, str]]:
        """Return where a piece of code leads: the name of each file, and the line there."""
        found = self.ask("textDocument/definition", **self._at(code, within))
        led = []
        for one in found:
            path = Path(one["uri"].removeprefix("file://"))
            led.append(
                (path.name, path.read_text(encoding="utf-8").splitlines()[one["range"]["start"]["line"]].strip())
            )
        return led

    def ask(self, method: str, **params: Any) -> Any:
        """Ask something, and return the answer; what the server asks meanwhile is answered."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while True:
            told = self._receive()
            if told.get("id") == number and "method" not in told:
                assert "error" not in told, told
                return told["result"]
            if "id" in told:
                self._send({"id": told["id"], "result": self._answer(told)})

    def _answer(self, asked: dict[str, Any]) -> object:
        if asked["method"] != "workspace/configuration":
            return None
        return [
            {"pythonPath": sys.executable} if item.get("section") == "python" else None
            for item in asked["params"]["items"]
        ]

    def _at(self, code: str, within: str, *, behind: bool = False) -> dict[str, Any]:
        (number,) = [number for number, line in enumerate(self._lines) if within in line]
        line = self._lines[number]
        column = line.index(code, line.index(within)) + (len(code) if behind else 0)
        return {"textDocument": {"uri": self.path.as_uri()}, "position": {"line": number, "character": column}}

    def _tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (header := self._process.stdout.readline().strip()) != b"":
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        received: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return received

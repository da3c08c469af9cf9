"""What the tests of the command line share: a folder with workflows in it, and the command itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

import pytest

from orchestration.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOP = '''
    """A shop, as a user writes it."""

    from dataclasses import dataclass

    from orchestration import Services, Workflow


    @dataclass(frozen=True)
    class Order:
        id: str
        lines: tuple[int, ...] = ()


    class Payments:
        async def charge(self, order: Order) -> str: ...


    class Till:
        async def charge(self, order: Order) -> str:
            print("charging")
            if not order.lines:
                raise ValueError("nothing to charge") from KeyError("lines")
            return f"charge of {order.id}"


    async def reserve(order: Order) -> Order:
        return order


    async def release(order: Order) -> None:
        pass


    checkout = Workflow[Order]("checkout").step(reserve).compensate(release).step(Payments.charge)
    plain = Workflow[Order]("plain").step(reserve)
    wrong = Workflow[Order]("wrong").step(reserve, name="not a name").pure(reserve)


    class Flows:
        plain = plain


    def services():
        return Services().bind(Payments).to(Till())


    ready = services()
    nothing_bound = Services()
'''


CLAIMS = '''
    """Claims that wait for somebody, as a user writes them."""

    import asyncio
    import signal
    from dataclasses import dataclass
    from pathlib import Path
    from typing import Annotated

    from orchestration import Secret, Signal, Workflow


    @dataclass(frozen=True)
    class Approval:
        by: str
        granted: bool = True


    @dataclass(frozen=True)
    class Login:
        name: str
        password: Annotated[str, Secret]


    class Rot:
        """No cipher to trust."""

        def encrypt(self, data):
            return data[::-1]

        def decrypt(self, data):
            return data[::-1]


    APPROVAL = Signal("approval", Approval)


    async def file_claim(cents: int) -> str:
        print("filing")
        return f"claim over {cents}"


    async def withdraw(claim: str) -> None:
        print("withdrawing")


    def decided(claim: str, approval: Approval) -> str:
        return f"{claim}: {approval.by}"


    async def pay(claim: str) -> str:
        """Raise the signals that the files of these names ask for, once."""
        for name in ("SIGINT", "SIGTERM"):
            if Path(name).exists():
                ends = Path(name).read_text() == "and end"
                Path(name).unlink()
                signal.raise_signal(getattr(signal, name))
                await asyncio.sleep(0 if ends else 1000)
        for name, error in (("quit", SystemExit), ("interrupt", KeyboardInterrupt), ("error", ValueError)):
            if Path(name).exists():
                Path(name).unlink()
                raise error(name)
        return f"paid {claim}"


    def spelt(cents: int) -> str:
        return str(cents)


    async def log_in(login: Login) -> str:
        return login.name


    claim = Workflow[int]("claim").step(file_claim).compensate(withdraw).wait_for(APPROVAL, decided).step(pay)
    nap = Workflow[int]("nap").step(file_claim).sleep(3600)
    paid = Workflow[int]("paid").step(file_claim).compensate(withdraw).step(pay)
    again = Workflow[int]("paid").pure(spelt).step(pay)
    lambdas = Workflow[int]("lambdas").step(lambda value: value)
    login = Workflow[Login]("login").step(log_in).step(pay)
    rot = Rot()


    def cipher():
        return rot


    def broken():
        1 / 0
'''


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


class Folder:
    """A folder into which a test writes its files."""

    def __init__(self, path: Path) -> None:
        """Use `path`."""
        self.path = path

    def write(self, name: str, source: str) -> str:
        """Write a file, its source indented as in the test, and return its name."""
        (self.path / name).write_text(dedent(source).lstrip("\n"), encoding="utf-8")
        return name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """Give the current folder of a command. Whatever it imports is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield Folder(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path.resolve())):
            del sys.modules[name]


@pytest.fixture
def shop(folder: Folder) -> Folder:
    """Give a folder with `shop.py`."""
    folder.write("shop.py", SHOP)
    return folder


@pytest.fixture
def claims(folder: Folder) -> Folder:
    """Give a folder with `claims.py`."""
    folder.write("claims.py", CLAIMS)
    return folder


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Give the command, run in this process."""

    def call(*arguments: str) -> Result:
        try:
            code = main(arguments)
        except SystemExit as stop:  # argparse ends so
            code = int(str(stop.code))
        return Result(int(code), *capsys.readouterr())

    return call

"""What an editor shows of a workflow: types, signatures, what the docstrings say, and where names lead."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.typed.language_server import LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
PROGRAM = shutil.which("pyright-langserver", path=PATH)
SHOWN = '''\
from dataclasses import dataclass

from orchestration import LocalEngine, Retry, Services, Workflow


@dataclass
class Order:
    id: str


class Payments:
    async def charge(self, order: Order) -> int:
        """Take the money."""
        raise NotImplementedError


async def reserve(order: Order) -> Order:
    """Put it aside."""
    raise NotImplementedError


start = Workflow[Order]("checkout")
reserved = start.step(reserve, retry=Retry())
charged = reserved.step(Payments.charge)
undone = reserved.compensate(reserve)
mapped = start.pure(lambda order: [order.id]).map(len)
branched = start.branch().when(bool, reserve).otherwise(reserve)
joined = start.fork(reserve).fork(reserve).join()
plan = charged.compile()
services = Services().bind(Payments).to(Payments())
engine = LocalEngine(services)
'''

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pyright's language server is in the session `types`")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """Return a server that has the file above open."""
    assert PROGRAM is not None
    with LanguageServer(PROGRAM, tmp_path_factory.mktemp("shown"), SHOWN) as server:
        yield server


HOVERS = {  # what stands under the cursor, in the line that holds the text behind it → what is shown
    ("charged", "charged ="): ("charged: Step[Order, int, Payments, Order]",),
    ("undone", "undone ="): ("undone: Workflow[Order, Order, Never]",),
    ("mapped", "mapped ="): ("mapped: Mapped[Order, int, Never]",),
    ("branched", "branched ="): ("branched: Workflow[Order, Order, Never]",),
    ("joined", "joined ="): ("joined: Step[Order, tuple[Order, Order], Never, Any]",),
    ("services", "services ="): ("services: Services[Payments]",),
    ("order", "lambda order"): ("order: Order",),
    ("Workflow", "Workflow["): ("class Workflow(", "name: str", "Begin a workflow"),
    ("step", "start.step"): ("-> Step[Order, T@step, Never, Order]", "Do something in the world", "See `StepOptions`"),
    ("step", "reserved.step"): ("body: (S@step, Order)", "S@step, Order]", "a service's method"),
    ("reserve", "reserve, retry="): ("Put it aside.",),
    ("charge", "Payments.charge"): ("Take the money.",),
    ("retry", "retry=Retry"): ("retry: Retry", "How often"),
    ("Retry", "retry=Retry"): ("class Retry(", "max_attempts: int = 3"),
    ("compensate", "reserved.compensate"): ("undo: (Order) -> object", "Undo the step if what follows it fails"),
    ("map", "map("): ("body: (str)", "Run a body for each item"),
    ("join", "join("): ("-> Step[Order, tuple[Order, Order], Never, Any]", "Close the fork"),
    ("compile", "compile("): ("-> Plan", "PlanErrors"),
    ("LocalEngine", "= LocalEngine"): ("class LocalEngine(", "max_concurrency: int | None"),
}


@pytest.mark.parametrize(("at", "shown"), HOVERS.items(), ids=[" in ".join(at) for at in HOVERS])
def test_a_hover_shows_the_type_and_what_it_does(
    server: LanguageServer, at: tuple[str, str], shown: tuple[str, ...]
) -> None:
    """Inferred types stand in the words of the user's own code; methods and options show their docstrings."""
    told = server.hover(*at)
    assert [part for part in shown if part not in told] == [], told


LEADS = {  # what stands under the cursor, and in which line → the file that it leads to, and how the line begins there
    ("step", "start.step"): ("workflow.py", "def step("),
    ("compensate", "reserved.compensate"): ("workflow.py", "def compensate("),
    ("when", "branch().when"): ("branch.py", "def when("),
    ("otherwise", "branch().when"): ("branch.py", "def otherwise("),
    ("join", "join("): ("fork.py", "def join("),
    ("Workflow", "Workflow["): ("workflow.py", "class Workflow("),
    ("Retry", "retry=Retry"): ("policies.py", "class Retry"),
    ("retry", "retry=Retry"): ("options.py", "retry: Retry"),
    ("compile", "compile("): ("chain.py", "def compile("),
    ("LocalEngine", "= LocalEngine"): ("local.py", "class LocalEngine("),
    ("reserve", "reserve, retry="): ("shown.py", "async def reserve("),
    ("charge", "Payments.charge"): ("shown.py", "async def charge("),
}


@pytest.mark.parametrize(("at", "there"), LEADS.items(), ids=[" in ".join(at) for at in LEADS])
def test_a_name_leads_to_its_definition(server: LanguageServer, at: tuple[str, str], there: tuple[str, str]) -> None:
    """Methods lead to the overloads with the docstring below them, options to their own line, bodies to the user's."""
    file, line = there
    led = server.definitions(*at)
    assert led
    assert [one for one in led if one[0] != file or not one[1].startswith(line)] == []


def test_the_signature_of_a_step_lists_its_options(server: LanguageServer) -> None:
    """While arguments are written, each sort of body is shown with the options that it takes, and the docstring."""
    told = server.signatures("step(", "start.step(")
    labels = [signature["label"] for signature in told["signatures"]]
    assert any("body: Workflow[Order, " in label and "on_partial: " in label for label in labels)
    assert any("attempt_timeout: float" in label and "run_in: str" in label for label in labels)
    assert all("Do something in the world" in signature["documentation"]["value"] for signature in told["signatures"])

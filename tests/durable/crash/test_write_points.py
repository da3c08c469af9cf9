"""S34, S35: a process that is killed at any write point of the driver leaves a run that goes on to the same outcome."""

from __future__ import annotations

import os
import random
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.durable.crash.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.durable.crash.client import Play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, which this system cannot")
EACH = ["audit-rejected", "checkout-too-heavy", "release", "approval-overdrawn"]  # of each example, what is undone
POINTS = [*SCENES] if "CRASH_INSTANTS" in os.environ else EACH
INSTANTS = int(os.environ.get("CRASH_INSTANTS", "20"))
MOST = 2  # deaths of a run: after three losses a step is given up (S35)


@pytest.mark.parametrize("scene", POINTS)
def test_a_run_survives_its_process_at_each_write_point(
    scene: str, play: Callable[[str], Play], undisturbed: Callable[[str], object]
) -> None:
    """S34, S35: nothing that was acknowledged is lost, nothing that is done is done again, and it ends as ever."""
    expected = undisturbed(scene)
    for fatal in count(1):
        run = play(scene)
        if run.live(fatal=fatal):
            assert run.outcome() == expected
            break
        if fatal % 5 == 0:  # the process that goes on dies as well
            run.live(fatal=1 + fatal % 7)
        assert run.end() == expected, run.deaths_at


@pytest.mark.parametrize("point", ["create", "append", "acquire", "renew", "release", "post"])
def test_each_kind_of_write_is_a_point_where_a_run_survives(
    point: str, play: Callable[[str], Play], undisturbed: Callable[[str], object]
) -> None:
    """S34, S38: by name, since how many writes there are depends on what is committed together."""
    scene = "approval" if point == "post" else "approval-silent"  # that one takes longer than its lease
    expected = undisturbed(scene)
    for when in ("before", "after"):
        run = play(scene)
        assert point != "acquire" or not run.live(fatal="after append")
        assert not run.live(fatal=f"{when} {point}")
        assert run.end() == expected
        assert run.deaths_at[-1] == f"{when} {point}"


@pytest.mark.parametrize("share", range(4))
def test_a_run_survives_its_process_at_random_instants(
    share: int, play: Callable[[str], Play], undisturbed: Callable[[str], object]
) -> None:
    """S34, S35: whatever was under way. `CRASH_INSTANTS` says how many instants are tried."""
    chance = random.Random(share)  # noqa: S311 - to find an instant
    killed = 0
    expected = {scene: undisturbed(scene) for scene in [*SCENES][share::4]}
    while killed * 4 < INSTANTS:
        scene = chance.choice([*expected])
        run = play(scene)
        while run.deaths < MOST and not run.live(delay=chance.uniform(0, 0.2)):
            killed += 1
        assert run.end() == expected[scene]

"""Generic classes as services do at run time what the checkers are told: a binding may name their parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pytest

from orchestration import Services, Workflow, method
from orchestration.errors import AmbiguousService, MissingService

Thing = TypeVar("Thing")
Thing_contra = TypeVar("Thing_contra", contravariant=True)


@dataclass
class Order:
    """What is kept."""

    id: str


class Archive(Protocol[Thing_contra]):
    """A generic Protocol."""

    async def keep(self, thing: Thing_contra, /) -> str:
        """Keep a thing."""
        ...


class Store(ABC, Generic[Thing]):
    """A generic abstract class."""

    @abstractmethod
    def save(self, thing: Thing) -> str:
        """Save a thing."""


class Disk:
    """Keeps anything."""

    def __init__(self, name: str = "disk") -> None:
        """Have a name."""
        self.name = name

    async def keep(self, thing: Order, /) -> str:
        """Say where it is kept."""
        return f"{self.name}: {thing.id}"


class Orders(Store[Order]):
    """Saves orders."""

    def save(self, thing: Order) -> str:
        """Say what is saved."""
        return f"saved: {thing.id}"


KEPT = Workflow[Order]("kept").step(Archive[Order].keep)


@pytest.mark.parametrize("kind", [Archive, Archive[Order]], ids=["bare", "with its parameter"])
def test_a_generic_protocol_is_bound(kind):
    """A generic Protocol is found whether its parameter is written in the binding or not."""
    assert KEPT.run_sync(Order("1"), Services().bind(kind).to(Disk())) == "disk: 1"


def test_a_generic_abc_is_bound():
    """A generic abstract class is found by its parameter."""
    saved = Workflow[Order]("saved").step(Store[Order].save)
    assert saved.run_sync(Order("1"), Services().bind(Store[Order]).to(Orders())) == "saved: 1"


def test_two_bindings_of_one_generic_class_are_ambiguous():
    """One function serves all parameters of a generic class, so two bindings need a step that says which is meant."""
    both = Services().bind(Archive[str]).to(Disk("texts")).bind(Archive[Order]).to(Disk("orders"))
    with pytest.raises(AmbiguousService) as caught:
        KEPT.run_sync(Order("1"), both)
    assert "keep, a method of Archive[str] and Archive[Order] alike" in str(caught.value)
    assert "method(Archive[str], Archive[str].keep)" in str(caught.value)
    stated = Workflow[Order]("kept").step(method(Archive[Order], Archive[Order].keep))
    assert stated.run_sync(Order("1"), both) == "orders: 1"


def test_a_missing_generic_service_is_named():
    """What has to be bound is named as it is written in code."""
    stated = Workflow[Order]("kept").step(method(Archive[Order], Archive[Order].keep))
    with pytest.raises(MissingService, match=r"Add \.bind\(Archive\)\.to"):
        stated.run_sync(Order("1"), Services().bind(Archive[str]).to(Disk()))

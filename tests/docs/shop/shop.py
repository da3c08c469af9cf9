"""The shop of the page on the command line."""

from dataclasses import dataclass

from orchestration import Services, Workflow


@dataclass(frozen=True)
class Order:
    """What somebody wants."""

    id: str
    lines: tuple[int, ...]
    card: str = "4242"


@dataclass(frozen=True)
class Receipt:
    """What they get."""

    order: str
    tracking: str


class CardRefused(Exception):
    """The bank said no."""


class Declined(Exception):
    """The card cannot be charged."""


class Payments:
    """A service."""

    async def charge(self, order: Order) -> Order:
        """Charge the card."""
        raise NotImplementedError

    async def refund(self, order: Order) -> None:
        """Give the money back."""


class Bank(Payments):
    """The one that does the work."""

    async def charge(self, order: Order) -> Order:
        """Charge the card, unless it is the one that is always refused."""
        if order.card == "4000":
            raise Declined(f"card {order.card} was declined") from CardRefused("402 Payment Required")
        return order


async def reserve(order: Order) -> Order:
    """Set the goods aside."""
    return order


async def release(order: Order) -> None:
    """Put them back."""


async def ship(order: Order) -> Receipt:
    """Send them."""
    return Receipt(order.id, f"T-{order.id}")


def total(order: Order) -> int:
    """Count the pieces."""
    return sum(order.lines)


async def send(text: str) -> None:
    """Send a message."""


checkout = (
    Workflow[Order]("checkout")
    .step(reserve)
    .compensate(release)
    .step(Payments.charge)
    .compensate(Payments.refund)
    .step(ship)
)
refund = Workflow[Order]("refund").step(total).step(send)


def services() -> Services[Payments]:
    """Say who does the work."""
    return Services().bind(Payments).to(Bank())


test_services = services

"""The ten mistakes with Prefect. Every other line is right."""

# none: service - what a task needs is an argument, or found by the task itself

from prefect import flow, task
from prefect.transactions import Transaction
from shop import Cart, Charge, Declined, Order, Reserved, User


@task
def reserve(order: Order) -> Reserved: ...
@task
def charge(reserved: Reserved) -> Charge: ...
@task
def pay(reserved: Reserved) -> Charge | Declined: ...
@task
def receipt(charge: Charge) -> str: ...
@task
def find_user(order: Order) -> User: ...
@task
def find_cart(order: Order) -> Cart: ...
@task
def price(user: User, cart: Cart) -> float: ...
@task
def weigh(line: int) -> float: ...


def refund(charge: Charge) -> None: ...


@flow
def checkout(order: Order) -> Charge:
    receipt(charge(reserve(order)))
    receipt(reserve(order))  # mistake: next
    return charge(reserve(order))


def run(order: Order) -> None:
    charged: Charge = checkout(order)
    checkout(User("Ada"))  # mistake: input
    text: str = checkout(order)  # mistake: value


@reserve.on_rollback
def release(transaction: Transaction) -> None:
    refund(transaction.get("reserved"))  # mistake: undo


@flow
def settle(order: Order) -> str:
    match pay(reserve(order)):
        case Charge() as charged:
            return receipt(charged)
        case Declined(reason):
            return reason


@flow
def settle_half(order: Order) -> str:  # mistake: arm
    match pay(reserve(order)):
        case Charge() as charged:
            return receipt(charged)


@flow
def both(order: Order) -> None:
    price(find_user.submit(order).result(), find_cart.submit(order).result())
    price(find_cart.submit(order).result(), find_user.submit(order).result())  # mistake: join
    weigh.map(order.lines)
    weigh.map(reserve(order))  # mistake: items


@task(retries=3)
def again(order: Order) -> Reserved: ...
@task(retires=3)  # mistake: misspelt
def misspelt(order: Order) -> Reserved: ...
@task(retries="3")  # mistake: option
def mistyped(order: Order) -> Reserved: ...

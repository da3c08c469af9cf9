"""The ten mistakes with DBOS. Every other line is right."""

# none: service - what a step needs is an argument, or found by the step itself

from dbos import DBOS
from shop import Cart, Charge, Declined, Order, Reserved, User


@DBOS.step()
def reserve(order: Order) -> Reserved: ...
@DBOS.step()
def release(reserved: Reserved) -> None: ...
@DBOS.step()
def charge(reserved: Reserved) -> Charge: ...
@DBOS.step()
def pay(reserved: Reserved) -> Charge | Declined: ...
@DBOS.step()
def receipt(charge: Charge) -> str: ...
@DBOS.workflow()
def find_user(order: Order) -> User: ...
@DBOS.workflow()
def find_cart(order: Order) -> Cart: ...
@DBOS.step()
def price(user: User, cart: Cart) -> float: ...
@DBOS.step()
def weigh(line: int) -> float: ...


@DBOS.workflow()
def checkout(order: Order) -> Charge:
    reserved = reserve(order)
    try:
        charged = charge(reserved)
    except BaseException:
        release(reserved)
        release(order)  # mistake: undo
        raise
    receipt(charged)
    receipt(reserved)  # mistake: next
    return charged


@DBOS.workflow()
def settle(order: Order) -> str:
    match pay(reserve(order)):
        case Charge() as charged:
            return receipt(charged)
        case Declined(reason):
            return reason


@DBOS.workflow()
def settle_half(order: Order) -> str:  # mistake: arm
    match pay(reserve(order)):
        case Charge() as charged:
            return receipt(charged)


@DBOS.workflow()
def both(order: Order) -> None:
    user, cart = DBOS.start_workflow(find_user, order), DBOS.start_workflow(find_cart, order)
    price(user.get_result(), cart.get_result())
    price(cart.get_result(), user.get_result())  # mistake: join
    for line in order.lines:
        weigh(line)
    for line in order:  # mistake: items
        weigh(line)


def run(order: Order) -> None:
    charged: Charge = DBOS.start_workflow(checkout, order).get_result()
    DBOS.start_workflow(checkout, User("Ada"))  # mistake: input
    text: str = DBOS.start_workflow(checkout, order).get_result()  # mistake: value


@DBOS.step(max_attempts=3)
def again(order: Order) -> Reserved: ...
@DBOS.step(max_atempts=3)  # mistake: misspelt
def misspelt(order: Order) -> Reserved: ...
@DBOS.step(max_attempts="3")  # mistake: option
def mistyped(order: Order) -> Reserved: ...

"""The ten mistakes with this library. Every other line is right."""

from orchestration import Services, Workflow
from shop import Cart, Charge, Declined, Order, Payments, Reserved, User


async def reserve(order: Order) -> Reserved: ...
async def release(reserved: Reserved) -> None: ...
async def pay(reserved: Reserved) -> Charge | Declined: ...
async def receipt(charge: Charge) -> str: ...
async def refund(charge: Charge) -> None: ...
async def find_user(order: Order) -> User: ...
async def find_cart(order: Order) -> Cart: ...
async def price(user: User, cart: Cart) -> float: ...
async def weigh(line: int) -> float: ...


order = Order("1", [1, 2])
payments = Services().bind(Payments).to(Payments())
start = Workflow[Order]("checkout")
checkout = start.step(reserve).step(Payments.charge)

checkout.step(receipt)
start.step(reserve).step(receipt)  # mistake: next


async def run() -> None:
    charge: Charge = await checkout.run(order, payments)
    await checkout.run(User("Ada"), payments)  # mistake: input
    await checkout.run(order)  # mistake: service
    text: str = await checkout.run(order, payments)  # mistake: value


start.step(reserve).compensate(release)
start.step(reserve).compensate(refund)  # mistake: undo

paid = start.step(reserve).step(pay)
paid.branch().case(Charge, receipt).case(Declined, lambda declined: declined.reason).exhaustive().step(len)
paid.branch().case(Charge, receipt).step(len)  # mistake: arm

start.fork(find_user).fork(find_cart).join(price)
start.fork(find_cart).fork(find_user).join(price)  # mistake: join

start.pure(lambda order: order.lines).map(weigh)
start.step(reserve).map(weigh)  # mistake: items

start.step(reserve, timeout=3)
start.step(reserve, timout=3)  # mistake: misspelt
start.step(reserve, timeout="3")  # mistake: option

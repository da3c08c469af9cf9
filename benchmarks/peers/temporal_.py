"""The ten mistakes with Temporal. Every other line is right."""

import asyncio
from datetime import timedelta

from shop import Cart, Charge, Declined, Order, Payments, Reserved, User
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

SOON = timedelta(seconds=10)


class Activities:
    def __init__(self, payments: Payments) -> None:
        self.payments = payments

    @activity.defn
    async def charge(self, reserved: Reserved) -> Charge: ...


@activity.defn
async def reserve(order: Order) -> Reserved: ...
@activity.defn
async def release(reserved: Reserved) -> None: ...
@activity.defn
async def pay(reserved: Reserved) -> Charge | Declined: ...
@activity.defn
async def receipt(charge: Charge) -> str: ...
@activity.defn
async def find_user(order: Order) -> User: ...
@activity.defn
async def find_cart(order: Order) -> Cart: ...
@activity.defn
async def price(user: User, cart: Cart) -> float: ...
@activity.defn
async def weigh(line: int) -> float: ...


@workflow.defn
class Checkout:
    @workflow.run
    async def run(self, order: Order) -> Charge:
        reserved = await workflow.execute_activity(reserve, order, start_to_close_timeout=SOON)
        try:
            charged = await workflow.execute_activity_method(Activities.charge, reserved, start_to_close_timeout=SOON)
        except BaseException:
            await workflow.execute_activity(release, reserved, start_to_close_timeout=SOON)
            await workflow.execute_activity(release, order, start_to_close_timeout=SOON)  # mistake: undo
            raise
        await workflow.execute_activity(receipt, charged, start_to_close_timeout=SOON)
        await workflow.execute_activity(receipt, reserved, start_to_close_timeout=SOON)  # mistake: next
        return charged


@workflow.defn
class Settle:
    @workflow.run
    async def run(self, reserved: Reserved) -> str:
        match await workflow.execute_activity(pay, reserved, start_to_close_timeout=SOON):
            case Charge() as charged:
                return await workflow.execute_activity(receipt, charged, start_to_close_timeout=SOON)
            case Declined(reason):
                return reason


@workflow.defn
class SettleHalf:
    @workflow.run
    async def run(self, reserved: Reserved) -> str:  # mistake: arm
        match await workflow.execute_activity(pay, reserved, start_to_close_timeout=SOON):
            case Charge() as charged:
                return await workflow.execute_activity(receipt, charged, start_to_close_timeout=SOON)


@workflow.defn
class Both:
    @workflow.run
    async def run(self, order: Order) -> None:
        user, cart = await asyncio.gather(
            workflow.execute_activity(find_user, order, start_to_close_timeout=SOON),
            workflow.execute_activity(find_cart, order, start_to_close_timeout=SOON),
        )
        await workflow.execute_activity(price, args=[user, cart], start_to_close_timeout=SOON)
        await workflow.execute_activity(price, args=[cart, user], start_to_close_timeout=SOON)  # mistake: join
        for line in order.lines:
            await workflow.execute_activity(weigh, line, start_to_close_timeout=SOON)
        for line in order:  # mistake: items
            await workflow.execute_activity(weigh, line, start_to_close_timeout=SOON)
        await workflow.execute_activity(reserve, order, start_to_close_timout=SOON)  # mistake: misspelt
        await workflow.execute_activity(reserve, order, start_to_close_timeout=10)  # mistake: option


async def run(client: Client, order: Order) -> None:
    activities = Activities(Payments())
    Worker(client, task_queue="shop", workflows=[Checkout], activities=[reserve, release, receipt, activities.charge])
    Worker(client, task_queue="shop", workflows=[Checkout], activities=[reserve, release, receipt])  # mistake: service
    charged: Charge = await client.execute_workflow(Checkout.run, order, id="1", task_queue="shop")
    await client.execute_workflow(Checkout.run, User("Ada"), id="2", task_queue="shop")  # mistake: input
    text: str = await client.execute_workflow(Checkout.run, order, id="3", task_queue="shop")  # mistake: value

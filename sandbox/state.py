"""What all requests share, and how they get at it."""

from collections import deque
from dataclasses import dataclass, field

from flask import current_app
from werkzeug.local import LocalProxy

from .callbacks import Callbacks
from .customers import Customers
from .faults import Chaos, Faults
from .orders import Order, Orders
from .payouts import Payouts
from .ratelimit import WINDOWS
from .refunds import Refunds
from .settings import Settings

KEPT_REQUESTS = 50_000


@dataclass
class Sandbox:
    """Everything the requests share."""

    settings: Settings
    orders: Orders
    customers: Customers
    refunds: Refunds
    payouts: Payouts
    callbacks: Callbacks
    faults: Faults = field(default_factory=Faults)
    chaos: Chaos = field(default_factory=Chaos)
    rate_limits: dict = field(
        default_factory=lambda: {name: window() for name, window in WINDOWS.items()}
    )
    requests: deque = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def call_back(self, order: Order) -> None:
        """Send a callback with the order's status, unless chaos loses it."""
        if not self.chaos.loses_callback():
            self.callbacks.send(order)

    def act(self, uuid: str, action: str, amount: object = None) -> Order:
        """One action on an order; ``callback`` sends its current status once more.

        :raises OrderNotFound, Conflict, BadAmount: as :meth:`Orders.apply` does
        """
        order = self.orders.get(uuid)
        if action == "callback" and action in order.actions:
            self.callbacks.send(order)
            return order
        return self.orders.apply(uuid, action, amount)

    def decide(self, refund_id: int, decision: str) -> Order:
        """Front Payment pays a refund back, or does not.

        :raises RefundNotFound, NotPending: as :meth:`Refunds.decide` does
        """
        order = self.refunds.decide(refund_id, decision)
        if decision == "confirm":
            self.call_back(order)
        return order


sandbox: Sandbox = LocalProxy(lambda: current_app.extensions["sandbox"])

"""A callback's values are signed without separators, so whoever has seen one can move
the borders between them, and the checksum still fits. It gains nothing."""

from itertools import permutations, product

from odoo.tests import BaseCase, tagged

from odoo.addons.frontpay_odoo.connect import callback
from odoo.addons.frontpay_odoo.connect.statuses import STATES, state_of

from .common import FrontpayCommon, callback_pairs, signature

NAMES = [name for name in callback.FORMATS if name != "checksum"]
# All of section 17.4.
STATUSES = (
    *("SENT", "PAID", "CANCELLED", "EXPIRED", "INVOICED", "REFUNDED"),
    *("PARTIAL REFUNDED", "Inkasso", "Purring", "RESERVED", "RESEVRED", "CAPTURED"),
    *("CHARGED", "success", "failed", "refund pending", "debt collection", "reserved"),
    *("completed", "ongoing"),
)
METHODS = ("", "Visa", "visa", "mastercard", "invoice", "Vipps", "Google Pay")
AMOUNTS = ("125.00", "125", "12500", "1125.25", "25.5", "100100")


def splits(text, names):
    """Every way to cut a text into well-formed values for these names, in this order.

    :return: yields lists of (name, value)
    """
    if not names:
        if not text:
            yield []
        return
    name, *rest = names
    for length in range(len(text) + 1):
        if callback.FORMATS[name].fullmatch(text[:length]):
            for others in splits(text[length:], rest):
                yield [(name, text[:length]), *others]


def text_of(pairs):
    return "".join(value for name, value in pairs if name != "checksum")


@tagged("post_install", "-at_install", "frontpay")
class TestBorders(BaseCase):
    def assertSame(self, original, report):
        """It says nothing else than what Front Payment said."""
        self.assertEqual(report.order_uuid, original.order_uuid)
        self.assertEqual(report.amount, original.amount)
        self.assertEqual(report.sent_at, original.sent_at)
        state = state_of(report.status)
        self.assertIn(state, {None, state_of(original.status)})

    def test_moved_borders_say_nothing_else_or_are_seen(self):
        found = 0
        for status, method, amount in product(STATUSES, METHODS, AMOUNTS):
            pairs = callback_pairs(
                status=status,
                paymentMethod=method,
                amount=amount,
                orderUuid="ODR1649249709",
            )
            original = callback.parse(pairs)
            for names in (NAMES, [name for name in NAMES if name != "paymentMethod"]):
                for moved in splits(text_of(pairs), names):
                    found += moved != pairs[:-1]
                    report = callback.parse([*moved, pairs[-1]])
                    if report.is_unambiguous:
                        self.assertSame(original, report)
        self.assertGreater(found, 10_000)

    def test_other_names_in_another_order_are_seen(self):
        found = 0
        for status in STATUSES:
            pairs = callback_pairs(status=status)
            for names in permutations(NAMES):
                if list(names) == NAMES:
                    continue
                for moved in splits(text_of(pairs), names):
                    found += 1
                    report = callback.parse([*moved, pairs[-1]])
                    self.assertFalse(report.is_unambiguous)
        self.assertGreater(found, 0)

    def test_no_status_begins_with_another_one(self):
        """Or its end could be given to the payment method."""
        for status, other in permutations([*STATES, *map(str.upper, STATUSES)], 2):
            if state_of(status) != state_of(other):
                self.assertFalse(state_of(status) and other.startswith(status), other)


@tagged("post_install", "-at_install", "frontpay")
class TestBordersOfAnOrder(FrontpayCommon):
    """The same, as a real order judges it."""

    def _believed(self, order, text, names=NAMES):
        """What each way to cut the text would have the order believe."""
        for pairs in splits(text, names):
            report = callback.parse([*pairs, ("checksum", signature(pairs))])
            status, doubt, hint = order._receive(report)
            if hint.believed:
                yield status, doubt, state_of(report.status), report.amount
            hint.unlink()

    def test_no_split_moves_what_the_original_does_not(self):
        own = self.order(self.invoice())
        # They know no number yet, and have amounts that stand in the other's report.
        others = [
            self.order(
                self.invoice(self.line(price)),
                token=f"of {price}",
                state="unknown",
                order_uuid=False,
            )
            for price in (4.00, 20.00)
        ]
        self.assertEqual([order.amount for order in others], [5.00, 25.00])
        for status in STATUSES:
            pairs = callback_pairs(status=status)
            text = text_of(pairs)
            state = state_of(status)
            with self.subTest(status):
                believed = {
                    (told, amount)
                    for _status, _doubt, told, amount in self._believed(own, text)
                }
                expected = {state} - {None, "sent"}
                self.assertEqual({told for told, _amount in believed}, expected)
                self.assertTrue(all(map(own._is_own_amount, dict(believed).values())))
                for order in others:
                    order_text = text.replace("ODR1", "ODR7", 1)
                    self.assertFalse(list(self._believed(order, order_text)))

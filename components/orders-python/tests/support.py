"""What the tests of the logic have in common."""

import unittest
from typing import Callable

from logic import Shop
from model import Cart, CartLine, OrderError, Request
from tests import fakes


def cart(*lines: tuple[str, int], tier: str = "standard") -> Cart:
    return Cart([CartLine(sku, quantity) for sku, quantity in lines], tier)


def request(*lines: tuple[str, int], tier: str = "standard", customer: str = "Ada", total=None) -> Request:
    return Request(customer, cart(*lines, tier=tier), total)


class ShopTest(unittest.TestCase):
    """A shop with some tea, mugs and one very expensive gem."""

    def setUp(self) -> None:
        self.storage = fakes.Storage(("TEA", 1000, 50), ("MUG", 1250, 5), ("GEM", 10**15, 1_000_000))
        self.pricing = fakes.Pricing()
        self.shop = Shop(self.storage, self.pricing)

    def answers(self, case: str, value, call: Callable, *arguments) -> None:
        """The call answers this error, with this value."""
        with self.assertRaises(OrderError) as caught:
            call(*arguments)
        self.assertEqual((caught.exception.case, caught.exception.value), (case, value))

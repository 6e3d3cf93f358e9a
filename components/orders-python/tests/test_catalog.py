"""What is for sale."""

from model import Offer, Page, StorageError
from tests.support import ShopTest

SKU_RULE = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'"


class Listing(ShopTest):
    def test_shows_products_with_their_stock_page_by_page(self):
        products = self.storage.products
        first = self.shop.list_offers(None, 2)
        self.assertEqual(first, Page([Offer(products["GEM"], 1_000_000), Offer(products["MUG"], 5)], "MUG"))
        self.assertEqual(self.shop.list_offers(first.next, 2), Page([Offer(products["TEA"], 50)], None))

    def test_an_empty_page_asks_for_no_stock(self):
        self.assertEqual(self.shop.list_offers("ZZZ", 250), Page([], None))
        self.assertEqual(self.storage.calls, ["list_products"])

    def test_limits(self):
        for limit in (0, 251, 2**32 - 1):
            text = f"a limit is 1 to 250, not {limit}"
            self.answers("invalid", text, self.shop.list_offers, "not a SKU", limit)
        for sku in ("", "A" * 65, "a b", "ä", "A\n"):
            self.answers("invalid", f"after: {SKU_RULE}", self.shop.list_offers, sku, 1)
        self.assertEqual(self.storage.calls, [])

    def test_another_number_of_levels_than_of_products(self):
        self.storage.available = lambda skus: [1]
        text = "storage answered 1 levels for 3 products"
        self.answers("unavailable", text, self.shop.list_offers, None, 10)

    def test_storage_errors(self):
        for error, case, value in (
            (StorageError("invalid", "no"), "invalid", "no"),
            (StorageError("unknown-product", "TEA"), "unknown-product", "TEA"),
            (StorageError("contended"), "busy", None),
            (StorageError("damaged", "product/TEA"), "unavailable", "a record cannot be read: product/TEA"),
            (StorageError("unavailable", "gone"), "unavailable", "gone"),
        ):
            for call in ("list_products", "available"):
                with self.subTest(error.case, call=call):
                    self.storage.failures = {call: [error]}
                    self.answers(case, value, self.shop.list_offers, None, 10)


class Getting(ShopTest):
    def test_one_product(self):
        self.assertEqual(self.shop.get_offer("TEA"), Offer(self.storage.products["TEA"], 50))

    def test_no_such_product(self):
        self.answers("unknown-product", "COFFEE", self.shop.get_offer, "COFFEE")

    def test_no_sku(self):
        self.answers("invalid", SKU_RULE, self.shop.get_offer, "TEA POT")
        self.assertEqual(self.storage.calls, [])

    def test_the_longest_sku(self):
        self.answers("unknown-product", "A" * 64, self.shop.get_offer, "A" * 64)

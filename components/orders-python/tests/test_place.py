"""Placing an order: all of it or nothing, and never twice."""

import dataclasses

from model import Adjustment, CommitError, Draft, Fault, OrderError, Receipt, Refusal, Shortage, StorageError
from tests.support import ShopTest, request


class Placing(ShopTest):
    def refused(self, case, value, key, wanted):
        self.answers(case, value, self.shop.place, key, wanted)

    def placed_elsewhere(self, key, wanted):
        """What another attempt under this key does: it places the order, as far as storage shows."""
        quote = self.shop.quote_cart(wanted.cart)
        return self.storage.placed(key, Draft(wanted.customer, wanted.cart.tier, quote))


class Accepting(Placing):
    def test_a_receipt_says_what_was_bought(self):
        self.pricing.answer = [Adjustment(0, "a good customer", -500)]
        wanted = request(("TEA", 3), ("MUG", 1), tier="silver")
        quote = self.shop.quote_cart(wanted.cart)
        self.assertEqual(self.shop.place("k", wanted), Receipt("id-of-k", 1000, "Ada", "silver", quote))
        self.assertEqual(self.storage.orders["k"].content, Draft("Ada", "silver", quote))
        self.assertEqual((self.storage.stock["TEA"], self.storage.stock["MUG"]), (47, 4))
        self.assertEqual([(hold.state, hold.hold_for) for hold in self.storage.holds], [("sold", 30)])

    def test_a_retry_gets_the_same_receipt_and_buys_once(self):
        first = self.shop.place("k", request(("TEA", 3), ("MUG", 1)))
        self.storage.calls.clear()
        # Prices, the order of the lines and the expected total may differ by then.
        self.storage.products["TEA"] = dataclasses.replace(self.storage.products["TEA"], unit_price=1)
        again = request(("MUG", 1), ("TEA", 1), ("TEA", 2), total=1)
        self.assertEqual(self.shop.place("k", again), first)
        self.assertEqual(self.storage.calls, ["find_order"])
        self.assertEqual(self.storage.stock["TEA"], 47)

    def test_the_expected_total(self):
        self.assertEqual(self.shop.place("k", request(("TEA", 1), total=1000)).quote.total, 1000)
        quote = self.shop.quote_cart(request(("TEA", 1)).cart)
        self.refused("total-changed", quote, "l", request(("TEA", 1), total=0))
        self.assertEqual(len(self.storage.holds), 1)

    def test_a_total_beyond_2_to_the_53(self):
        price = 9007199254740993 // 11
        self.storage.products["GEM"] = dataclasses.replace(self.storage.products["GEM"], unit_price=price)
        self.assertEqual(self.shop.place("k", request(("GEM", 11), ("TEA", 1))).quote.total, price * 11 + 1000)


class Limits(Placing):
    def test_the_key_is_measured_in_bytes(self):
        self.shop.place("k" * 200, request(("TEA", 1)))
        self.shop.place("ü" * 100, request(("TEA", 1)))
        for key, size in (("", 0), ("k" * 201, 201), ("ü" * 101, 202), ("🫖" * 51, 204)):
            self.refused("invalid", f"an idempotency key is 1 to 200 bytes, not {size}", key, request())

    def test_the_customer_is_measured_in_characters(self):
        for name in ("Zoë", "🫖" * 200, "line\u2028separator"):
            self.assertEqual(self.shop.place(name[:9], request(("TEA", 1), customer=name)).customer, name)
        for name in ("", "x" * 201, "🫖" * 201, "Ada\n", "\u0085", "\x7f"):
            rule = "a customer is 1 to 200 characters without control characters"
            self.refused("invalid", rule, "k", request(customer=name))

    def test_an_order_has_lines(self):
        self.refused("invalid", "an order has at least one line", "k", request())

    def test_the_cart_is_checked_before_storage_is_asked(self):
        many = request(*[("TEA", 1)] * 101)
        self.refused("invalid", "a cart has at most 100 lines, not 101", "k", many)
        self.refused("invalid", "line 0: a quantity is 1 to 1000000, not 0", "k", request(("TEA", 0)))
        self.assertEqual(self.storage.calls, [])


class TheSameKey(Placing):
    def test_with_anything_else_is_refused(self):
        self.shop.place("k", request(("TEA", 2), ("MUG", 1)))
        for other in (
            request(("TEA", 2), ("MUG", 1), customer="Bob"),
            request(("TEA", 2), ("MUG", 1), tier="gold"),
            request(("TEA", 2), ("MUG", 2)),
            request(("TEA", 2)),
            request(("TEA", 2), ("NOSUCH", 1)),
        ):
            self.refused("key-reused", None, "k", other)
        self.assertEqual(self.storage.stock, {"TEA": 48, "MUG": 4, "GEM": 1_000_000})

    def test_placed_by_another_between_looking_and_reserving(self):
        wanted = request(("TEA", 2))
        order = self.placed_elsewhere("k", wanted)
        self.storage.find_order = lambda key: None
        self.assertEqual(self.shop.place("k", wanted).order_id, order.id)
        self.refused("key-reused", None, "k", request(("TEA", 3)))
        self.assertEqual(self.storage.holds, [])

    def test_placed_by_another_between_reserving_and_committing(self):
        wanted = request(("TEA", 2))

        def overtake(key):
            self.placed_elsewhere(key, wanted)
            raise CommitError("superseded")

        self.storage.meanwhile = overtake
        self.assertEqual(self.shop.place("k", wanted).order_id, "id-of-k")
        self.assertEqual(self.storage.holds[0].state, "given back")

    def test_another_order_placed_between_reserving_and_committing(self):
        def overtake(key):
            self.placed_elsewhere(key, request(("TEA", 1)))
            raise CommitError("expired")

        self.storage.meanwhile = overtake
        self.refused("key-reused", None, "k", request(("TEA", 2)))


class NothingBought(Placing):
    def tearDown(self) -> None:
        self.assertEqual(self.storage.orders, {})
        self.assertEqual(self.storage.stock, {"TEA": 50, "MUG": 5, "GEM": 1_000_000})

    def test_too_little_of_two_products(self):
        short = [Shortage("MUG", 6, 5), Shortage("TEA", 51, 50)]
        self.refused("out-of-stock", short, "k", request(("MUG", 6), ("GEM", 1), ("TEA", 51)))

    def test_the_hold_was_lost(self):
        for case in ("expired", "superseded"):
            self.storage.failures = {"commit": [CommitError(case)]}
            self.refused("busy", None, "k", request(("TEA", 1)))
        self.assertEqual(self.storage.calls[-2:], ["commit", "find_order"])

    def test_storage_refuses_the_draft(self):
        self.storage.failures = {"commit": [CommitError("mismatch", "sums")]}
        self.refused("unavailable", "storage refused the order: sums", "k", request(("TEA", 1)))

    def test_storage_fails_at_any_step(self):
        for call in ("find_order", "get_product", "reserve", "commit"):
            for error, case, value in (
                (StorageError("invalid", "no"), "invalid", "no"),
                (StorageError("unknown-product", "TEA"), "unknown-product", "TEA"),
                (StorageError("contended"), "busy", None),
                (StorageError("damaged", "stock/TEA"), "unavailable", "a record cannot be read: stock/TEA"),
                (StorageError("unavailable", "gone"), "unavailable", "gone"),
            ):
                with self.subTest(error.case, call=call):
                    self.storage.failures = {call: [error]}
                    self.refused(case, value, "k", request(("TEA", 1)))

    def test_storage_fails_after_the_hold_was_lost(self):
        self.storage.failures = {"commit": [CommitError("expired")]}
        find, found = self.storage.find_order, []

        def fail_the_second_time(key):
            found.append(key)
            if len(found) == 2:
                raise StorageError("unavailable", "gone")
            return find(key)

        self.storage.find_order = fail_the_second_time
        self.refused("unavailable", "gone", "k", request(("TEA", 1)))

    def test_pricing_misbehaves(self):
        self.pricing.answer = [Adjustment(None, "a gift", -1001)]
        self.refused("pricing", Fault("negative-total"), "k", request(("TEA", 1)))
        self.pricing.answer = Refusal("declined", "not you")
        self.refused("pricing", Fault("declined", "not you"), "k", request(("TEA", 1)))
        self.assertEqual(self.storage.holds, [])

    def test_a_hold_is_given_back_at_once_whatever_goes_wrong(self):
        class Broken(Exception):
            pass

        hold_of = self.storage.reserve

        def breaking(*arguments):
            hold = hold_of(*arguments)
            hold.commit = lambda draft: (_ for _ in ()).throw(Broken())
            return hold

        self.storage.reserve = breaking
        with self.assertRaises(Broken):
            self.shop.place("k", request(("TEA", 1)))
        self.assertEqual([hold.state for hold in self.storage.holds], ["given back"])


class Getting(Placing):
    def test_the_receipt_of_an_order(self):
        receipt = self.shop.place("k", request(("TEA", 1)))
        self.assertEqual(self.shop.get_order(receipt.order_id), receipt)

    def test_no_such_order(self):
        for order_id in ("nosuch", "", "\n"):
            self.answers("unknown-order", order_id, self.shop.get_order, order_id)

    def test_an_order_of_a_tier_that_is_not_known_here(self):
        order = self.placed_elsewhere("k", request(("TEA", 1)))
        self.storage.orders["k"] = dataclasses.replace(
            order, content=dataclasses.replace(order.content, tier="platinum")
        )
        text = "order id-of-k has an unknown tier"
        self.answers("unavailable", text, self.shop.get_order, "id-of-k")
        self.refused("key-reused", None, "k", request(("TEA", 1)))

    def test_a_storage_error(self):
        self.storage.failures = {"get_order": [StorageError("contended")]}
        with self.assertRaises(OrderError) as caught:
            self.shop.get_order("x")
        self.assertIsInstance(caught.exception.__cause__, StorageError)

"""What a cart costs, and what a pricing rule may answer."""

from model import Adjustment, Fault, Line, Quote, Refusal, StorageError
from tests import fakes
from tests.support import ShopTest, cart

SKU_RULE = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'"
MOST = 2**63 - 1


class Quoting(ShopTest):
    def quote(self, *lines, tier="standard"):
        return self.shop.quote_cart(cart(*lines, tier=tier))

    def refused(self, case, value, *lines):
        self.answers(case, value, self.shop.quote_cart, cart(*lines))

    def test_lines_adjustments_and_total(self):
        self.pricing.answer = [Adjustment(0, "a good customer", -300), Adjustment(None, "small order", 50)]
        lines = [Line("TEA", "The TEA", 3, 1000, 3000), Line("MUG", "The MUG", 1, 1250, 1250)]
        self.assertEqual(
            self.quote(("TEA", 3), ("MUG", 1), tier="gold"), Quote(lines, self.pricing.answer, 4250, 4000)
        )
        self.assertEqual(self.pricing.asked, [(lines, "gold")])

    def test_an_empty_cart_costs_what_the_rule_says(self):
        self.assertEqual(self.quote(), Quote([], [], 0, 0))
        self.pricing.answer = [Adjustment(None, "sorry to see you go", 7)]
        self.assertEqual(self.quote().total, 7)
        self.assertEqual([lines for lines, _ in self.pricing.asked], [[], []])

    def test_lines_of_one_sku_are_added_up_where_the_first_is(self):
        quote = self.quote(("TEA", 1), ("MUG", 2), ("TEA", 4))
        self.assertEqual([(line.sku, line.quantity) for line in quote.lines], [("TEA", 5), ("MUG", 2)])

    def test_the_stock_is_not_looked_at(self):
        self.assertEqual(self.quote(("MUG", 6)).total, 7500)
        self.assertEqual(self.storage.calls, ["get_product"])

    def test_a_total_beyond_2_to_the_53(self):
        self.storage.products["GEM"] = fakes.Storage(("GEM", 9007199254740993 // 9, 0)).products["GEM"]
        self.assertEqual(self.quote(("GEM", 9), ("TEA", 1)).total, 9007199254740993 // 9 * 9 + 1000)

    def test_the_largest_subtotal(self):
        dust = fakes.Storage(("DUST", MOST - 9223 * 10**15, 0))
        self.storage.products |= dust.products
        self.assertEqual(self.quote(("GEM", 9223), ("DUST", 1)).total, MOST)
        self.refused("too-large", None, ("GEM", 9223), ("DUST", 2))
        self.assertEqual(len(self.pricing.asked), 1)

    def test_limits_of_a_cart(self):
        self.refused("invalid", "a cart has at most 100 lines, not 101", *[("", 0)] * 101)
        self.assertEqual(self.quote(*[("TEA", 1)] * 100).total, 100_000)
        self.refused("invalid", f"line 1: {SKU_RULE}", ("TEA", 1), ("T E A", 0))
        self.refused("invalid", "line 0: a quantity is 1 to 1000000, not 0", ("TEA", 0), ("", 1))
        self.refused("invalid", "line 1: a quantity is 1 to 1000000, not 1000001", ("TEA", 1), ("TEA", 1_000_001))
        together = "SKU TEA: the quantities of all its lines are at most 1000000 together, not 1000001"
        self.refused("invalid", together, ("NOSUCH", 1), ("TEA", 1_000_000), ("TEA", 1))

    def test_the_first_unknown_product(self):
        self.refused("unknown-product", "COFFEE", ("TEA", 1), ("COFFEE", 1), ("CAKE", 1))
        self.assertEqual(self.pricing.asked, [])

    def test_storage_errors(self):
        self.storage.failures = {"get_product": [StorageError("damaged", "product/TEA")]}
        self.refused("unavailable", "a record cannot be read: product/TEA", ("TEA", 1))

    def test_a_merged_cart_is_what_is_priced(self):
        self.pricing.answer = lambda lines, tier: [Adjustment(len(lines) - 1, "last line", -1)]
        self.assertEqual(self.quote(("TEA", 1), ("TEA", 1)).total, 1999)


class PricingRefuses(ShopTest):
    def test_what_it_may_refuse(self):
        for refusal, case, value in (
            (Refusal("too-large"), "too-large", None),
            (Refusal("declined", "not on Sundays"), "pricing", Fault("declined", "not on Sundays")),
            (Refusal("invalid-line", 3), "pricing", Fault("refused", "invalid-line(3)")),
            (Refusal("too-many-lines", 1), "pricing", Fault("refused", "too-many-lines(1)")),
        ):
            with self.subTest(refusal.case):
                self.pricing.answer = refusal
                self.answers(case, value, self.shop.quote_cart, cart(("TEA", 1)))


class PricingMisbehaves(ShopTest):
    """One cart of two lines worth 2,250, and answers that can not be used."""

    def fault(self, case, value, *adjustments):
        self.pricing.answer = adjustments
        self.answers("pricing", Fault(case, value), self.shop.quote_cart, cart(("TEA", 1), ("MUG", 1)))

    def total(self, *adjustments):
        self.pricing.answer = adjustments
        return self.shop.quote_cart(cart(("TEA", 1), ("MUG", 1))).total

    def test_too_many_adjustments(self):
        self.assertEqual(self.total(*[Adjustment(None, "fee", 1)] * 256), 2250 + 256)
        self.fault("too-many-adjustments", 257, *[Adjustment(None, "fee", 1)] * 257)
        # Their number is looked at before they are.
        self.fault("too-many-adjustments", 1000, *[Adjustment(9, "", 0)] * 1000)

    def test_an_adjustment_for_an_unknown_line(self):
        self.assertEqual(self.total(Adjustment(1, "fee", 1)), 2251)
        self.fault("unknown-line", 2, Adjustment(0, "fee", 1), Adjustment(2, "fee", 1))
        self.fault("unknown-line", 2**32 - 1, Adjustment(2**32 - 1, "", 0))

    def test_a_malformed_adjustment(self):
        self.fault("malformed-adjustment", 1, Adjustment(0, "fee", 1), Adjustment(None, "nothing", 0))
        for reason in ("", "x" * 121, "a\nb", "\x7f", "a\x85b", "\x00", "\x9f"):
            with self.subTest(reason):
                self.fault("malformed-adjustment", 0, Adjustment(None, reason, 1), Adjustment(7, "fee", 1))

    def test_a_reason_is_measured_in_characters(self):
        # 120 characters of four bytes each, two UTF-16 units each.
        self.assertEqual(self.total(Adjustment(None, "🫖" * 120, 1)), 2251)
        self.fault("malformed-adjustment", 0, Adjustment(None, "🫖" * 121, 1))
        # Beyond the control characters: a soft hyphen, a zero-width joiner, a no-break space.
        self.assertEqual(self.total(Adjustment(None, "\u00ad\u200d\u00a0", 1)), 2251)

    def test_a_negative_total(self):
        self.assertEqual(self.total(Adjustment(None, "free", -2250)), 0)
        self.fault("negative-total", None, Adjustment(None, "a gift", -2251))
        self.fault("negative-total", None, *[Adjustment(None, "a gift", -(2**63))] * 256)

    def test_a_total_beyond_2_to_the_63(self):
        self.assertEqual(self.total(Adjustment(None, "tax", MOST - 2250)), MOST)
        self.fault("overflow", None, Adjustment(None, "tax", MOST - 2249))
        self.fault("overflow", None, *[Adjustment(None, "tax", MOST)] * 256)

    def test_only_the_total_counts_and_not_the_way_there(self):
        self.assertEqual(self.total(Adjustment(None, "tax", MOST), Adjustment(None, "no tax", -MOST)), 2250)
        self.assertEqual(self.total(Adjustment(None, "gift", -MOST), Adjustment(None, "no gift", MOST)), 2250)

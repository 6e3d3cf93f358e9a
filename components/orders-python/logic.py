"""The business logic of the shop: `catalog` and `checkout` of `wit/deps/shop-orders/orders.wit`.

It is the second implementation of that contract and answers as the first one does, to the letter of every
text: whoever swaps them sees no difference. It knows storage and the pricing rule as the protocols in
`model.py` alone, so it is tested natively.

All money is Python's integers; the sums are exact, and are held against the limits afterwards.
"""

from contextlib import contextmanager
from typing import Iterator, Optional, Sequence

import limits
from limits import MOST_MONEY
from model import (
    Adjustment,
    Cart,
    CartLine,
    CommitError,
    Draft,
    Fault,
    Line,
    Offer,
    Order,
    OrderError,
    Page,
    Pricing,
    Product,
    Quote,
    Receipt,
    Refusal,
    Request,
    ReserveError,
    Storage,
    StorageError,
)

TIERS = ("standard", "silver", "gold")

# Far longer than the way from reserving to committing takes, and short enough that the units of a customer
# whose host was lost on this way are soon for sale again.
HOLD_SECONDS = 30


class Shop:
    """Both interfaces, over one storage and one pricing rule. It keeps nothing between calls."""

    def __init__(self, storage: Storage, pricing: Pricing):
        self.storage = storage
        self.pricing = pricing

    # catalog

    def list_offers(self, after: Optional[str], limit: int) -> Page:
        limits.check_page(after, limit)
        with storage_errors():
            page = self.storage.list_products(after, limit)
        return Page(self._offers(page.items), page.next)

    def get_offer(self, sku: str) -> Offer:
        limits.check_sku(sku)
        return self._offers([self._product(sku)])[0]

    # checkout

    def quote_cart(self, cart: Cart) -> Quote:
        return self._quote(limits.merge(cart), cart.tier)

    def place(self, idempotency_key: str, request: Request) -> Receipt:
        limits.check_request(idempotency_key, request)
        wanted = limits.merge(request.cart)
        with storage_errors():
            order = self.storage.find_order(idempotency_key)
        if order is not None:
            return repeated(order, request, wanted)

        quote = self._quote(wanted, request.cart.tier)
        if request.expected_total not in (None, quote.total):
            raise OrderError("total-changed", quote)
        draft = Draft(request.customer, request.cart.tier, quote)
        try:
            with storage_errors(), self.storage.reserve(idempotency_key, wanted, HOLD_SECONDS) as hold:
                return receipt(hold.commit(draft))
        except ReserveError as error:
            if error.case == "placed":
                return repeated(error.value, request, wanted)
            raise OrderError("out-of-stock", error.value) from error
        except CommitError as error:
            if error.case == "mismatch":
                raise OrderError("unavailable", f"storage refused the order: {error.value}") from error
        return self._lost(idempotency_key, request, wanted)

    def get_order(self, order_id: str) -> Receipt:
        with storage_errors():
            order = self.storage.get_order(order_id)
        if order is None:
            raise OrderError("unknown-order", order_id)
        return receipt(order)

    # What these are made of

    def _lost(self, idempotency_key: str, request: Request, wanted: Sequence[CartLine]) -> Receipt:
        """The reservation expired, or another attempt under this key took it over and may have placed the order."""
        with storage_errors():
            order = self.storage.find_order(idempotency_key)
        if order is None:
            raise OrderError("busy")
        return repeated(order, request, wanted)

    def _product(self, sku: str) -> Product:
        with storage_errors():
            product = self.storage.get_product(sku)
        if product is None:
            raise OrderError("unknown-product", sku)
        return product

    def _offers(self, products: Sequence[Product]) -> list[Offer]:
        if not products:
            return []
        with storage_errors():
            available = self.storage.available([product.sku for product in products])
        if len(available) != len(products):
            text = f"storage answered {len(available)} levels for {len(products)} products"
            raise OrderError("unavailable", text)
        return [Offer(product, units) for product, units in zip(products, available)]

    def _quote(self, wanted: Sequence[CartLine], tier: str) -> Quote:
        products = [self._product(line.sku) for line in wanted]
        lines = [
            Line(line.sku, product.name, line.quantity, product.unit_price, line.quantity * product.unit_price)
            for product, line in zip(products, wanted)
        ]
        subtotal = sum(line.total for line in lines)
        if subtotal > MOST_MONEY:
            raise OrderError("too-large")

        adjustments = self._adjust(lines, tier)
        limits.check_adjustments(adjustments, len(lines))
        total = subtotal + sum(each.amount for each in adjustments)
        if total < 0:
            raise OrderError("pricing", Fault("negative-total"))
        if total > MOST_MONEY:
            raise OrderError("pricing", Fault("overflow"))
        return Quote(lines, adjustments, subtotal, total)

    def _adjust(self, lines: Sequence[Line], tier: str) -> Sequence[Adjustment]:
        try:
            return self.pricing.adjust(lines, tier)
        except Refusal as refusal:
            if refusal.case == "too-large":
                raise OrderError("too-large") from refusal
            if refusal.case == "declined":
                raise OrderError("pricing", Fault("declined", refusal.value)) from refusal
            # What was handed over keeps to the rule's limits, so this is the rule's mistake.
            raise OrderError("pricing", Fault("refused", f"{refusal.case}({refusal.value})")) from refusal


@contextmanager
def storage_errors() -> Iterator[None]:
    """Storage's errors in the words of this contract."""
    try:
        yield
    except StorageError as error:
        if error.case == "contended":
            raise OrderError("busy") from error
        if error.case == "damaged":
            raise OrderError("unavailable", f"a record cannot be read: {error.value}") from error
        # invalid, unknown-product and unavailable are the same in both contracts.
        raise OrderError(error.case, error.value) from error


def receipt(order: Order) -> Receipt:
    content = order.content
    if content.tier not in TIERS:
        raise OrderError("unavailable", f"order {order.id} has an unknown tier")
    return Receipt(order.id, order.placed_at, content.customer, content.tier, content.quote)


def repeated(order: Order, request: Request, wanted: Sequence[CartLine]) -> Receipt:
    """The receipt of the order that exists under the request's key, where it is what the request asks for.

    Neither the order of the lines nor any price is compared: both may have changed since.
    """
    content = order.content
    had = sorted((line.sku, line.quantity) for line in content.quote.lines)
    wants = sorted((line.sku, line.quantity) for line in wanted)
    if (content.customer, content.tier, had) != (request.customer, request.cart.tier, wants):
        raise OrderError("key-reused")
    return receipt(order)

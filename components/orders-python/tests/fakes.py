"""Storage and a pricing rule that live in memory, do as they are told, and keep a record of it."""

from typing import Callable, Optional, Sequence

from model import (
    Adjustment,
    CartLine,
    CommitError,
    Draft,
    Order,
    Page,
    Product,
    ReserveError,
    Shortage,
    StorageError,
)


class Storage:
    """Keeps products, stock and orders; `calls` names what was asked, in order.

    `failures` are errors that the call of that name raises, first come first served, before it does
    anything else.
    """

    def __init__(self, *products: tuple[str, int, int]):
        """Of each product its SKU, unit price and units."""
        self.products = {
            sku: Product(sku, f"The {sku}", f"A fine {sku}.", "things", price) for sku, price, _ in products
        }
        self.stock = {sku: units for sku, _, units in products}
        self.orders: dict[str, Order] = {}
        self.holds: list[Hold] = []
        self.calls: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        # Called before a commit is looked at: what others do in the meantime.
        self.meanwhile: Callable[[str], None] = lambda key: None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def get_product(self, sku: str) -> Optional[Product]:
        self._called("get_product")
        return self.products.get(sku)

    def list_products(self, after: Optional[str], limit: int) -> Page:
        self._called("list_products")
        rest = sorted(sku for sku in self.products if after is None or sku > after)
        items = [self.products[sku] for sku in rest[:limit]]
        return Page(items, items[-1].sku if len(rest) > limit else None)

    def available(self, skus: Sequence[str]) -> Sequence[int]:
        self._called("available")
        for sku in skus:
            if sku not in self.products:
                raise StorageError("unknown-product", sku)
        return [self.stock[sku] for sku in skus]

    def reserve(self, idempotency_key: str, items: Sequence[CartLine], hold_for: int) -> "Hold":
        self._called("reserve")
        if idempotency_key in self.orders:
            raise ReserveError("placed", self.orders[idempotency_key])
        short = [
            Shortage(item.sku, item.quantity, self.stock[item.sku])
            for item in items
            if self.stock[item.sku] < item.quantity
        ]
        if short:
            raise ReserveError("short", short)
        for item in items:
            self.stock[item.sku] -= item.quantity
        hold = Hold(self, idempotency_key, items, hold_for)
        self.holds.append(hold)
        return hold

    def get_order(self, order_id: str) -> Optional[Order]:
        self._called("get_order")
        return next((order for order in self.orders.values() if order.id == order_id), None)

    def find_order(self, idempotency_key: str) -> Optional[Order]:
        self._called("find_order")
        return self.orders.get(idempotency_key)

    def placed(self, idempotency_key: str, draft: Draft) -> Order:
        """Keeps an order, as another attempt may do too."""
        order = Order(f"id-of-{idempotency_key}", 1_000 + len(self.orders), draft)
        self.orders[idempotency_key] = order
        return order


class Hold:
    """A reservation that says what became of it: `held`, then `sold` or `given back`."""

    def __init__(self, storage: Storage, key: str, items: Sequence[CartLine], hold_for: int):
        self.storage, self.key, self.items, self.hold_for = storage, key, items, hold_for
        self.state = "held"

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *exception) -> None:
        if self.state == "held":
            self._give_back()

    def commit(self, draft: Draft) -> Order:
        try:
            self.storage._called("commit")
            self.storage.meanwhile(self.key)
            if [(line.sku, line.quantity) for line in draft.quote.lines] != [
                (item.sku, item.quantity) for item in self.items
            ]:
                raise CommitError("mismatch", "other lines than are held")
        except Exception:
            self._give_back()
            raise
        self.state = "sold"
        return self.storage.placed(self.key, draft)

    def _give_back(self) -> None:
        self.state = "given back"
        for item in self.items:
            self.storage.stock[item.sku] += item.quantity


class Pricing:
    """Answers what it is given, or what a function makes of the cart."""

    def __init__(self, answer=()):
        self.answer = answer
        self.asked: list[tuple[Sequence, str]] = []

    def adjust(self, lines: Sequence, tier: str) -> Sequence[Adjustment]:
        self.asked.append((lines, tier))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(lines, tier) if callable(self.answer) else list(self.answer)

"""The imported contracts as the protocols of `model.py`: storage and the pricing rule.

The bindings, `wit_world` and `componentize_py_types`, are generated while the component is built. An error
result is raised by them as `Err`, with one class for each case of its type.
"""

import re
from contextlib import contextmanager
from typing import Iterator, Optional, Sequence

from componentize_py_types import Err
from wit_world.imports import orders, policy, products, stock
from wit_world.imports.types import Item

import model


class Storage:
    """`shop:storage`, for the logic."""

    def get_product(self, sku: str) -> Optional[model.Product]:
        with failures(model.StorageError):
            found = products.get(sku)
        return None if found is None else model.Product(**vars(found))

    def list_products(self, after: Optional[str], limit: int) -> model.Page:
        with failures(model.StorageError):
            page = products.list(after, limit)
        return model.Page([model.Product(**vars(each)) for each in page.items], page.next)

    def available(self, skus: Sequence[str]) -> Sequence[int]:
        with failures(model.StorageError):
            return [level.available for level in stock.levels(list(skus))]

    def reserve(self, idempotency_key: str, items: Sequence[model.CartLine], hold_for: int) -> "Hold":
        wanted = [Item(item.sku, item.quantity) for item in items]
        with failures(model.ReserveError):
            return Hold(orders.reserve(idempotency_key, wanted, hold_for))

    def get_order(self, order_id: str) -> Optional[model.Order]:
        with failures(model.StorageError):
            return found_order(orders.get(order_id))

    def find_order(self, idempotency_key: str) -> Optional[model.Order]:
        with failures(model.StorageError):
            return found_order(orders.find(idempotency_key))


class Hold:
    """A reservation's handle until it is committed.

    The handle is a resource of another component. It is dropped when the block is left, and not whenever
    Python collects the object: only then the units are for sale again.
    """

    def __init__(self, handle: orders.Reservation):
        self.handle: Optional[orders.Reservation] = handle

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *exception) -> None:
        if self.handle is not None:
            self.handle.__exit__(*exception)

    def commit(self, draft: model.Draft) -> model.Order:
        # From here on the handle belongs to storage, and must not be dropped on this side.
        handle, self.handle = self.handle, None
        with failures(model.CommitError):
            return order(orders.commit(handle, lower(draft)))


class Pricing:
    """`shop:pricing/policy`, for the logic."""

    def adjust(self, lines: Sequence[model.Line], tier: str) -> Sequence[model.Adjustment]:
        cart = [policy.Line(line.sku, line.quantity, line.unit_price) for line in lines]
        with failures(model.Refusal):
            return [model.Adjustment(**vars(each)) for each in policy.adjust(cart, policy.Tier[tier.upper()])]


@contextmanager
def failures(kind: type[model.Failure]) -> Iterator[None]:
    """Raises an error result as `kind`; the case in which storage itself failed as `StorageError`."""
    try:
        yield
    except Err as error:
        raise lift(kind, error.value) from error


def lift(kind: type[model.Failure], error) -> model.Failure:
    case = case_of(error)
    value = getattr(error, "value", None)
    if kind in (model.ReserveError, model.CommitError) and case == "storage":
        return lift(model.StorageError, value)
    if case == "placed":
        value = order(value)
    elif case == "short":
        value = [model.Shortage(**vars(each)) for each in value]
    return kind(case, value)


def case_of(error) -> str:
    """The name of a variant's case, which the bindings keep in the class: `Refusal_InvalidLine`."""
    _, name = type(error).__name__.split("_", 1)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def lower(draft: model.Draft) -> orders.Draft:
    quote = draft.quote
    return orders.Draft(
        draft.customer,
        draft.tier,
        [orders.Line(**vars(line)) for line in quote.lines],
        [orders.Adjustment(**vars(each)) for each in quote.adjustments],
        quote.subtotal,
        quote.total,
    )


def order(found: orders.Order) -> model.Order:
    content = found.content
    quote = model.Quote(
        [model.Line(**vars(line)) for line in content.lines],
        [model.Adjustment(**vars(each)) for each in content.adjustments],
        content.subtotal,
        content.total,
    )
    return model.Order(found.id, found.placed_at, model.Draft(content.customer, content.tier, quote))


def found_order(found: Optional[orders.Order]) -> Optional[model.Order]:
    return None if found is None else order(found)

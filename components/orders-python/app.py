"""Between the contract and the logic: `shop:orders/catalog` and `checkout` as a component in Python.

The classes must be named after the interfaces: that is how they are found. An error result is raised as
`Err`, with one class for each case of the type.
"""

from contextlib import contextmanager
from typing import Iterator, List, Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import catalog, checkout, types

import model
from logic import Shop
from outside import Pricing, Storage

SHOP = Shop(Storage(), Pricing())


class Catalog(exports.Catalog):
    """What is for sale."""

    # `list` is a method from here on, and no longer the type: hence `List` where a type is meant.
    def list(self, after: Optional[str], limit: int) -> catalog.Page:
        with errors():
            page = SHOP.list_offers(after, limit)
        items: List[catalog.Product] = [lower_offer(each) for each in page.items]
        return catalog.Page(items, page.next)

    def get(self, sku: str) -> catalog.Product:
        with errors():
            return lower_offer(SHOP.get_offer(sku))


class Checkout(exports.Checkout):
    """From a cart to a receipt."""

    def quote_cart(self, cart: types.Cart) -> types.Quote:
        with errors():
            return lower_quote(SHOP.quote_cart(lift_cart(cart)))

    def place(self, idempotency_key: str, request: checkout.Request) -> checkout.Receipt:
        lifted = model.Request(request.customer, lift_cart(request.cart), request.expected_total)
        with errors():
            return lower_receipt(SHOP.place(idempotency_key, lifted))

    def get(self, order_id: str) -> checkout.Receipt:
        with errors():
            return lower_receipt(SHOP.get_order(order_id))


def lift_cart(cart: types.Cart) -> model.Cart:
    return model.Cart([model.CartLine(line.sku, line.quantity) for line in cart.lines], cart.tier.name.lower())


def lower_offer(offer: model.Offer) -> catalog.Product:
    return catalog.Product(**vars(offer.product), available=offer.available)


def lower_quote(quote: model.Quote) -> types.Quote:
    return types.Quote(
        [types.Line(**vars(line)) for line in quote.lines],
        [types.Adjustment(**vars(each)) for each in quote.adjustments],
        quote.subtotal,
        quote.total,
    )


def lower_receipt(receipt: model.Receipt) -> checkout.Receipt:
    return checkout.Receipt(
        receipt.order_id,
        receipt.placed_at,
        receipt.customer,
        types.Tier[receipt.tier.upper()],
        lower_quote(receipt.quote),
    )


@contextmanager
def errors() -> Iterator[None]:
    """Raises the logic's errors as error results."""
    try:
        yield
    except model.OrderError as error:
        raise Err(lower_error(error)) from error


def lower_error(error: model.OrderError):
    value = error.value
    if error.case == "out-of-stock":
        value = [types.Shortage(**vars(each)) for each in value]
    elif error.case == "total-changed":
        value = lower_quote(value)
    elif error.case == "pricing":
        value = variant("PricingFault", value.case, value.value)
    return variant("Error", error.case, value)


def variant(name: str, case: str, value):
    """A case of a variant: the bindings have a class for each, named as in `Error_KeyReused`."""
    kind = getattr(types, f"{name}_{case.title().replace('-', '')}")
    return kind() if value is None else kind(value)

"""What the business logic speaks of, and what it needs from the outside.

These are the records of `wit/deps/shop-orders/orders.wit` and of the two contracts that it stands on,
without any binding: the fields have the contracts' names, so what is said there holds here. A tier is its
word: `standard`, `silver` or `gold`.
"""

from dataclasses import dataclass
from typing import ContextManager, Optional, Protocol, Sequence, Union


@dataclass(frozen=True)
class CartLine:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Cart:
    lines: Sequence[CartLine]
    tier: str


@dataclass(frozen=True)
class Request:
    customer: str
    cart: Cart
    expected_total: Optional[int] = None


@dataclass(frozen=True)
class Line:
    """A line of a quote and of an order alike."""

    sku: str
    name: str
    quantity: int
    unit_price: int
    total: int


@dataclass(frozen=True)
class Adjustment:
    line: Optional[int]
    reason: str
    amount: int


@dataclass(frozen=True)
class Quote:
    lines: Sequence[Line]
    adjustments: Sequence[Adjustment]
    subtotal: int
    total: int


@dataclass(frozen=True)
class Draft:
    """What is handed to storage to become an order."""

    customer: str
    tier: str
    quote: Quote


@dataclass(frozen=True)
class Order:
    """What storage keeps. Its tier is whatever word was stored."""

    id: str
    placed_at: int
    content: Draft


@dataclass(frozen=True)
class Receipt:
    order_id: str
    placed_at: int
    customer: str
    tier: str
    quote: Quote


@dataclass(frozen=True)
class Product:
    """A product as storage knows it: without its stock."""

    sku: str
    name: str
    description: str
    category: str
    unit_price: int


@dataclass(frozen=True)
class Offer:
    """A product as the catalogue shows it."""

    product: Product
    available: int


@dataclass(frozen=True)
class Page:
    items: Sequence
    next: Optional[str]


@dataclass(frozen=True)
class Shortage:
    sku: str
    requested: int
    available: int


class Failure(Exception):
    """An answer of one of the contracts' error types: the name of its case, and what it carries.

    One class for each error type and the case as data, so that adding a case is one line here, in the
    logic and in the glue.
    """

    def __init__(self, case: str, value: Union[None, str, int, Sequence, "Fault", Quote, Order] = None):
        super().__init__(case, value)
        self.case = case
        self.value = value


class OrderError(Failure):
    """`shop:orders/types.error`: what this component answers."""


class StorageError(Failure):
    """`shop:storage/types.error`."""


class ReserveError(Failure):
    """`shop:storage/orders.reserve-error`, but for its case `storage`, which is a `StorageError`."""


class CommitError(Failure):
    """`shop:storage/orders.commit-error`, but for its case `storage`, which is a `StorageError`."""


class Refusal(Failure):
    """`shop:pricing/policy.refusal`."""


@dataclass(frozen=True)
class Fault:
    """`shop:orders/types.pricing-fault`, which an `OrderError` with the case `pricing` carries."""

    case: str
    value: Union[None, str, int] = None


class Hold(Protocol):
    """A reservation that is not committed yet. Leaving its `with` block gives the units back."""

    def commit(self, draft: Draft) -> Order:
        """Consumes the reservation, whatever the answer. Raises `CommitError` or `StorageError`."""


class Storage(Protocol):
    """What the logic asks of storage. Every call may raise `StorageError`."""

    def get_product(self, sku: str) -> Optional[Product]: ...

    def list_products(self, after: Optional[str], limit: int) -> Page: ...

    def available(self, skus: Sequence[str]) -> Sequence[int]:
        """The units of each SKU that can be reserved."""

    def reserve(self, idempotency_key: str, items: Sequence[CartLine], hold_for: int) -> ContextManager[Hold]:
        """Raises `ReserveError` too."""

    def get_order(self, order_id: str) -> Optional[Order]: ...

    def find_order(self, idempotency_key: str) -> Optional[Order]: ...


class Pricing(Protocol):
    """The merchant's rule. Its answer is not trusted."""

    def adjust(self, lines: Sequence[Line], tier: str) -> Sequence[Adjustment]:
        """Raises `Refusal`."""

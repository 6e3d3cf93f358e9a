"""The limits that the contract documents, and the words in which breaking one is told.

Characters are Unicode scalar values, which is what Python's strings are made of; bytes are those of UTF-8.
"""

import re
from typing import Optional, Sequence

from model import Adjustment, Cart, CartLine, Fault, OrderError, Request

MOST_LINES = 100
MOST_UNITS = 1_000_000
MOST_MONEY = 2**63 - 1
MOST_KEY_BYTES = 200
MOST_CUSTOMER = 200
MOST_PAGE = 250
MOST_ADJUSTMENTS = 256
MOST_REASON = 120

A_SKU = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'"
SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")

# The general category Cc, which has never grown and never will.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def is_sku(text: str) -> bool:
    return SKU.fullmatch(text) is not None


def is_plain(text: str, most: int) -> bool:
    """1 to `most` characters, none of them a control character."""
    return 1 <= len(text) <= most and not CONTROL.search(text)


def invalid(text: str) -> OrderError:
    return OrderError("invalid", text)


def check_sku(sku: str, place: str = "") -> None:
    if not is_sku(sku):
        raise invalid(place + A_SKU)


def check_page(after: Optional[str], limit: int) -> None:
    if not 1 <= limit <= MOST_PAGE:
        raise invalid(f"a limit is 1 to {MOST_PAGE}, not {limit}")
    if after is not None:
        check_sku(after, "after: ")


def check_request(idempotency_key: str, request: Request) -> None:
    """All of an order but its lines, which `merge` checks."""
    size = len(idempotency_key.encode())
    if not 1 <= size <= MOST_KEY_BYTES:
        raise invalid(f"an idempotency key is 1 to {MOST_KEY_BYTES} bytes, not {size}")
    if not is_plain(request.customer, MOST_CUSTOMER):
        raise invalid(f"a customer is 1 to {MOST_CUSTOMER} characters without control characters")
    if not request.cart.lines:
        raise invalid("an order has at least one line")


def merge(cart: Cart) -> list[CartLine]:
    """The lines of a cart, checked, with each SKU once, in the order in which they were first named."""
    if len(cart.lines) > MOST_LINES:
        raise invalid(f"a cart has at most {MOST_LINES} lines, not {len(cart.lines)}")
    sums: dict[str, int] = {}
    for index, line in enumerate(cart.lines):
        check_sku(line.sku, f"line {index}: ")
        if not 1 <= line.quantity <= MOST_UNITS:
            raise invalid(f"line {index}: a quantity is 1 to {MOST_UNITS}, not {line.quantity}")
        sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    for sku, units in sums.items():
        if units > MOST_UNITS:
            raise invalid(
                f"SKU {sku}: the quantities of all its lines are at most {MOST_UNITS} together, not {units}"
            )
    return [CartLine(sku, units) for sku, units in sums.items()]


def check_adjustments(adjustments: Sequence[Adjustment], lines: int) -> None:
    """Whether the pricing rule kept to its contract for a cart of so many lines; its sums come later."""
    if len(adjustments) > MOST_ADJUSTMENTS:
        raise OrderError("pricing", Fault("too-many-adjustments", len(adjustments)))
    for index, each in enumerate(adjustments):
        if each.line is not None and each.line >= lines:
            raise OrderError("pricing", Fault("unknown-line", each.line))
        if each.amount == 0 or not is_plain(each.reason, MOST_REASON):
            raise OrderError("pricing", Fault("malformed-adjustment", index))

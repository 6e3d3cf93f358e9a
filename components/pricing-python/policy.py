"""The standard pricing rule, as `wit/deps/shop-pricing/policy.wit` numbers its steps.

Plain logic: it needs no binding and no component, and is tested in any Python with the table of cases
that all pricing components share.

Amounts are whole minor units and Python's integers, which have no largest one: nothing here can overflow,
and no division leaves the integers.
"""

from dataclasses import dataclass
from typing import Optional, Protocol, Sequence

MOST_LINES = 100
MOST_UNITS = 1_000_000
MOST_PRICE = 10**15
MOST_MONEY = 2**63 - 1

# All rates are in basis points: ten thousandths.
WHOLE = 10_000
CAP = 1500

# The largest number of units that a line reaches decides, so the order matters.
BREAKS = (
    (100, 1200, "quantity break 12 %"),
    (50, 700, "quantity break 7 %"),
    (10, 300, "quantity break 3 %"),
)
TIERS = {
    "standard": (0, ""),
    "silver": (200, "silver tier 2 %"),
    "gold": (500, "gold tier 5 %"),
}


class Line(Protocol):
    """What the rule looks at in a line. The bindings' own record has it."""

    quantity: int
    unit_price: int


@dataclass(frozen=True)
class Adjustment:
    """A change to what the customer pays; `line` is None for the whole cart."""

    line: Optional[int]
    reason: str
    amount: int


class InvalidLine(Exception):
    """The line with this index has a quantity or a unit price outside its limits."""

    def __init__(self, index: int):
        super().__init__(index)
        self.index = index


class TooManyLines(Exception):
    """More than 100 lines: this many."""

    def __init__(self, count: int):
        super().__init__(count)
        self.count = count


class TooLarge(Exception):
    """The subtotal is beyond 2^63 - 1."""


def share(amount: int, rate: int) -> int:
    """The share to the nearest integer, a half to the even neighbour."""
    quotient, rest = divmod(amount * rate, WHOLE)
    up = 2 * rest > WHOLE or (2 * rest == WHOLE and quotient % 2 == 1)
    return quotient + up


def check(lines: Sequence[Line]) -> None:
    """Raises for the first limit that is broken: the number of lines, then line by line."""
    if len(lines) > MOST_LINES:
        raise TooManyLines(len(lines))
    for index, line in enumerate(lines):
        if not (1 <= line.quantity <= MOST_UNITS and line.unit_price <= MOST_PRICE):
            raise InvalidLine(index)


def adjust(lines: Sequence[Line], tier: str) -> list[Adjustment]:
    """The adjustments for a cart, in the order of the contract.

    `tier` is `standard`, `silver` or `gold`. Raises `TooManyLines`, `InvalidLine` or `TooLarge`.
    """
    check(lines)
    gross = [line.quantity * line.unit_price for line in lines]
    subtotal = sum(gross)
    if subtotal > MOST_MONEY:
        raise TooLarge

    adjustments = []
    rebates = 0
    for index, line in enumerate(lines):
        rate, reason = next(((rate, reason) for units, rate, reason in BREAKS if line.quantity >= units), (0, ""))
        amount = share(gross[index], rate)
        if amount > 0:
            rebates += amount
            adjustments.append(Adjustment(index, reason, -amount))

    rate, reason = TIERS[tier]
    # What is left of the cart at this point is the net amount of step 3.
    amount = share(subtotal - rebates, rate)
    if amount > 0:
        rebates += amount
        adjustments.append(Adjustment(None, reason, -amount))

    excess = rebates - subtotal * CAP // WHOLE
    if excess > 0:
        adjustments.append(Adjustment(None, "rebates capped at 15 %", excess))
    return adjustments

"""A pricing rule that means harm, in Python: a fixture for tests of the host. The interpreter inside has a heap and a stack
of its own, and catches much before the host would.

The first line's SKU chooses how; any other is priced honestly, without adjustments.
"""

import sys

from wit_world import exports
from wit_world.exports import policy as contract


def loop():
    while True:
        pass


def recurse():
    # Without its guard: the interpreter keeps the frames of its calls on its heap.
    sys.setrecursionlimit(1_000_000_000)

    def deeper(depth):
        return deeper(depth + 1) + 1

    deeper(0)


def grow():
    taken = []
    while True:
        taken.append(bytearray(b"x") * (1 << 20))


def give_up():
    raise RuntimeError("on purpose")


def number():
    # One operation of the interpreter, in which it looks at nothing else.
    return 3 ** (1 << 30)


WAYS = {"LOOP": loop, "RECURSE": recurse, "GROW": grow, "RAISE": give_up, "NUMBER": number}


class Policy(exports.Policy):
    """The exported interface."""

    def adjust(self, lines: list[contract.Line], tier: contract.Tier) -> list[contract.Adjustment]:
        """Does harm, or nothing."""
        if lines and lines[0].sku in WAYS:
            WAYS[lines[0].sku]()
        return []

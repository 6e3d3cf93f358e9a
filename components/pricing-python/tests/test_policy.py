"""The table of cases that every pricing component is tested with, against this one's logic."""

import json
import pathlib
import unittest
from dataclasses import dataclass

import policy

TABLE = pathlib.Path(__file__).resolve().parents[3] / "tests" / "pricing" / "cases.json"


@dataclass
class Line:
    quantity: int
    unit_price: int


def in_words_of_the_table(lines, tier):
    """What the logic answers, with money in digits."""
    try:
        adjustments = policy.adjust(lines, tier)
    except policy.InvalidLine as refusal:
        return {"err": {"kind": "invalid-line", "value": str(refusal.index)}}
    except policy.TooManyLines as refusal:
        return {"err": {"kind": "too-many-lines", "value": str(refusal.count)}}
    except policy.TooLarge:
        return {"err": {"kind": "too-large"}}
    return {
        "ok": [
            {"line": each.line, "reason": each.reason, "amount": str(each.amount)} for each in adjustments
        ]
    }


class Cases(unittest.TestCase):
    """One test for the table: each case is a subtest under its own name."""

    maxDiff = None

    def test_every_case_of_the_table(self):
        for case in json.loads(TABLE.read_text(encoding="utf-8"))["cases"]:
            name, tier, lines = case.pop("name"), case.pop("tier"), case.pop("lines")
            with self.subTest(name):
                cart = [Line(line["quantity"], int(line["unit-price"])) for line in lines]
                self.assertEqual(in_words_of_the_table(cart, tier), case)

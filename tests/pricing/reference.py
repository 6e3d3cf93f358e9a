"""The standard pricing rule once more, as slowly and plainly as it can be written.

`cases.json` beside this file is the table that every pricing component is tested with. Its answers come
from here and not from any of the components: this program works with exact fractions and unbounded
integers, follows the numbered steps in `wit/deps/shop-pricing/policy.wit` one by one, and shares no code
with what it judges. Only the standard library is used.

    python tests/pricing/reference.py check                        the answers in cases.json are right
    python tests/pricing/reference.py fill                         compute them anew, in place
    python tests/pricing/reference.py generate --count 1000 --seed 7    random carts, to standard output

To add a case, write its name, tier and lines into `cases.json` and run `fill`.

The format, of the table as of generated carts: money is always a string of digits; a case has either
`ok`, the adjustments in order (`"line": null` for one that belongs to the whole cart), or `err`, whose
`kind` is the name of the refusal and whose `value`, where the refusal carries one, is a string of digits.
"""

import argparse
import json
import math
import pathlib
import random
import sys
from fractions import Fraction

TABLE = pathlib.Path(__file__).with_name("cases.json")

MOST_LINES = 100
MOST_UNITS = 1_000_000
MOST_PRICE = 10**15
MOST_MONEY = 2**63 - 1

# From how many units on which rate, in basis points; the largest that applies counts.
BREAKS = ((100, 1200), (50, 700), (10, 300))
TIERS = {"standard": 0, "silver": 200, "gold": 500}
CAP = 1500


def share(amount, basis_points):
    """The exact share, before any rounding."""
    return Fraction(amount * basis_points, 10_000)


def adjustment(line, reason, amount):
    return {"line": line, "reason": reason, "amount": str(amount)}


def refusal(kind, value=None):
    return {"err": {"kind": kind} if value is None else {"kind": kind, "value": str(value)}}


def answer(tier, lines):
    """What the rule says to a cart: `{"ok": …}` or `{"err": …}`."""
    if len(lines) > MOST_LINES:
        return refusal("too-many-lines", len(lines))
    for index, line in enumerate(lines):
        if not 1 <= line["quantity"] <= MOST_UNITS or int(line["unit-price"]) > MOST_PRICE:
            return refusal("invalid-line", index)

    # Step 1.
    gross = [line["quantity"] * int(line["unit-price"]) for line in lines]
    subtotal = sum(gross)
    if subtotal > MOST_MONEY:
        return refusal("too-large")

    # Step 2. Python's round() of a fraction takes a half to the even neighbour.
    adjustments = []
    breaks = 0
    for index, line in enumerate(lines):
        rate = next((rate for units, rate in BREAKS if line["quantity"] >= units), 0)
        amount = round(share(gross[index], rate))
        breaks += amount
        if amount > 0:
            adjustments.append(adjustment(index, f"quantity break {rate // 100} %", -amount))

    # Step 3.
    rate = TIERS[tier]
    rebate = round(share(subtotal - breaks, rate))
    if rebate > 0:
        adjustments.append(adjustment(None, f"{tier} tier {rate // 100} %", -rebate))

    # Step 4.
    limit = math.floor(share(subtotal, CAP))
    excess = breaks + rebate - limit
    if excess > 0:
        adjustments.append(adjustment(None, "rebates capped at 15 %", excess))
    return {"ok": adjustments}


def cart(chance):
    """A random cart: mostly valid, and close to the places where the rule changes its mind."""
    shape = chance.random()
    if shape < 0.03:
        count = chance.choice((0, 99, 100, 101, 130))
    else:
        count = chance.randint(1, 8)
    # One scale a cart, so that some carts are all halves of a cent and some end near 2^63.
    digits = chance.randint(0, 15)
    lines = []
    for number in range(count):
        quantity = chance.choice(
            (
                chance.randint(1, 12),
                chance.randint(45, 55),
                chance.randint(95, 105),
                chance.randint(1, 2_000),
                chance.randint(1, MOST_UNITS),
            )
        )
        price = chance.randint(0, 10**digits)
        if chance.random() < 0.005:
            quantity = chance.choice((0, MOST_UNITS + 1, 2**32 - 1))
        if chance.random() < 0.005:
            price = chance.choice((MOST_PRICE + 1, 2**63, 2**64 - 1))
        lines.append({"sku": f"SKU-{number}", "quantity": quantity, "unit-price": str(price)})
    return chance.choice(tuple(TIERS)), lines


def case(name, tier, lines):
    return {"name": name, "tier": tier, "lines": lines, **answer(tier, lines)}


def write(cases, out):
    """One case a paragraph, so that a change shows as a change of that case."""
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    out.write('{"cases":[')
    for number, entry in enumerate(cases):
        out.write(",\n" if number else "\n")
        members = (f"{json.dumps(key)}:{json.dumps(value, **compact)}" for key, value in entry.items())
        out.write("{" + ",\n ".join(members) + "}")
    out.write("\n]}\n")


def read():
    return json.loads(TABLE.read_text(encoding="utf-8"))["cases"]


def check():
    """0 where every answer in the table is the one that is computed here."""
    wrong = [entry for entry in read() if entry != case(entry["name"], entry["tier"], entry["lines"])]
    for entry in wrong:
        right = json.dumps(answer(entry["tier"], entry["lines"]), ensure_ascii=False)
        print(f"{TABLE}: case `{entry['name']}`: the rule gives {right}", file=sys.stderr)
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="The reference for the standard pricing rule.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="compare the answers in cases.json with the rule")
    commands.add_parser("fill", help="compute the answers in cases.json anew")
    generate = commands.add_parser("generate", help="print random carts with their answers")
    generate.add_argument("--count", type=int, default=1000, help="how many carts (default 1000)")
    generate.add_argument("--seed", type=int, default=0, help="the same seed gives the same carts (default 0)")
    options = parser.parse_args()

    if options.command == "check":
        return check()
    if options.command == "fill":
        cases = [case(entry["name"], entry["tier"], entry["lines"]) for entry in read()]
        with TABLE.open("w", encoding="utf-8", newline="\n") as out:
            write(cases, out)
        return 0
    chance = random.Random(options.seed)
    write((case(f"cart {number}", *cart(chance)) for number in range(options.count)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

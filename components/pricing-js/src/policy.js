/**
 * The standard pricing rule, as `wit/deps/shop-pricing/policy.wit` numbers its steps.
 *
 * Plain logic: it runs in any JavaScript engine, and is tested in Node with the table of cases that all
 * pricing components share.
 *
 * Every amount is a BigInt from end to end. A Number is exact only up to 2^53, and a subtotal may reach
 * 2^63 - 1; quantities, indexes and rates stay far below and are Numbers where the contract says `u32`.
 */

const MOST_LINES = 100;
const MOST_UNITS = 1_000_000;
const MOST_PRICE = 10n ** 15n;
const MOST_MONEY = 2n ** 63n - 1n;

/** All rates are in basis points: ten thousandths. */
const WHOLE = 10_000n;
const CAP = 1500n;

/** The largest number of units that a line reaches decides, so the order matters. */
const BREAKS = [
  { from: 100, rate: 1200n, reason: "quantity break 12 %" },
  { from: 50, rate: 700n, reason: "quantity break 7 %" },
  { from: 10, rate: 300n, reason: "quantity break 3 %" },
];

const TIERS = {
  standard: { rate: 0n, reason: "" },
  silver: { rate: 200n, reason: "silver tier 2 %" },
  gold: { rate: 500n, reason: "gold tier 5 %" },
};

/** The share to the nearest integer, a half to the even neighbour. */
function share(amount, rate) {
  const product = amount * rate;
  const quotient = product / WHOLE;
  const twice = (product % WHOLE) * 2n;
  const up = twice > WHOLE || (twice === WHOLE && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** The refusal of a cart that breaks a limit, or undefined. The first rule broken decides. */
function refusal(lines) {
  if (lines.length > MOST_LINES) {
    return { tag: "too-many-lines", val: lines.length };
  }
  const invalid = lines.findIndex(
    ({ quantity, unitPrice }) => quantity < 1 || quantity > MOST_UNITS || unitPrice > MOST_PRICE,
  );
  return invalid < 0 ? undefined : { tag: "invalid-line", val: invalid };
}

/**
 * What the rule says to a cart: `{ ok: adjustments }` or `{ err: refusal }`.
 *
 * @param {{ quantity: number, unitPrice: bigint }[]} lines
 * @param {"standard" | "silver" | "gold"} tier
 * @returns {{ ok: { line?: number, reason: string, amount: bigint }[] }
 *   | { err: { tag: string, val?: number } }}
 */
export function price(lines, tier) {
  const err = refusal(lines);
  if (err) return { err };

  const gross = lines.map(({ quantity, unitPrice }) => BigInt(quantity) * unitPrice);
  const subtotal = gross.reduce((sum, amount) => sum + amount, 0n);
  if (subtotal > MOST_MONEY) return { err: { tag: "too-large" } };

  const ok = [];
  let rebates = 0n;
  const rebate = (line, reason, amount) => {
    if (amount === 0n) return;
    rebates += amount;
    ok.push({ line, reason, amount: -amount });
  };

  lines.forEach(({ quantity }, line) => {
    const reached = BREAKS.find(({ from }) => quantity >= from);
    if (reached) rebate(line, reached.reason, share(gross[line], reached.rate));
  });
  // What is left of the cart at this point is the net amount of step 3.
  rebate(undefined, TIERS[tier].reason, share(subtotal - rebates, TIERS[tier].rate));

  const limit = (subtotal * CAP) / WHOLE;
  if (rebates > limit) {
    ok.push({ line: undefined, reason: "rebates capped at 15 %", amount: rebates - limit });
  }
  return { ok };
}

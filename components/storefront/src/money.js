/**
 * Money: BigInt cents inside, digits in JSON, euros on pages.
 *
 * A price never becomes a Number: above 2^53 a Number drops cents without a word.
 */

const MAX_U64 = 2n ** 64n - 1n;

/** Cents as people read them: `1234567n` becomes `€12,345.67`, a rebate `−€0.30`. */
export function euros(cents) {
  const size = cents < 0n ? -cents : cents;
  const whole = (size / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = (size % 100n).toString().padStart(2, "0");
  return `${cents < 0n ? "\u2212" : ""}€${whole}.${rest}`;
}

/**
 * An unsigned 64-bit number from its decimal digits; `null` for anything else, be it a sign, a blank, a
 * leading zero or one digit too many.
 */
export function parseU64(text) {
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const value = BigInt(text);
  return value <= MAX_U64 ? value : null;
}

/** A whole number with separators, for stock and quantities. */
export function grouped(count) {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * The visitor's cart. The shop keeps no sessions: the cart travels in a cookie, and in a hidden field of
 * the checkout form, so that what was shown is what is bought.
 *
 * Its text is `1|TIER|SKU:QUANTITY|SKU:QUANTITY…`. The leading 1 is the version. The text comes from
 * outside and is read strictly: whatever this module would not have written is no cart at all. Prices are
 * not in it, so there is nothing to gain by changing it.
 */

/** The customer tiers of the contract. */
export const TIERS = ["standard", "silver", "gold"];

/** Lines in a cart. */
export const MAX_LINES = 100;

/** Units of one product in a cart. */
export const MAX_QUANTITY = 1_000_000;

/** Browsers promise to keep cookies of 4,096 bytes, name and attributes included. */
const MAX_TEXT = 3800;

const NAME = "cart";
const LINE = /^([A-Za-z0-9._-]{1,64}):([1-9][0-9]{0,6})$/;

/** A cart with nothing in it. */
export const emptyCart = () => ({ tier: "standard", lines: [] });

/** A quantity from a form's field: 1 to a million in digits, `null` for anything else. */
export function parseQuantity(text) {
  if (typeof text !== "string" || !/^[1-9][0-9]{0,6}$/.test(text)) return null;
  const value = Number(text);
  return value <= MAX_QUANTITY ? value : null;
}

/** The cart that a text stands for, or `null`. */
export function parseCart(text) {
  if (typeof text !== "string" || text.length > MAX_TEXT) return null;
  const [version, tier, ...rest] = text.split("|");
  if (version !== "1" || !TIERS.includes(tier) || rest.length > MAX_LINES) return null;
  const lines = [];
  const seen = new Set();
  for (const part of rest) {
    const match = LINE.exec(part);
    const quantity = match && parseQuantity(match[2]);
    if (!quantity || seen.has(match[1])) return null;
    seen.add(match[1]);
    lines.push({ sku: match[1], quantity });
  }
  return { tier, lines };
}

/** The text of a cart. */
export function formatCart({ tier, lines }) {
  return ["1", tier, ...lines.map(({ sku, quantity }) => `${sku}:${quantity}`)].join("|");
}

/** The cart in a request's Cookie header. A cookie that cannot be read counts as an empty cart. */
export function cartFromCookies(header) {
  for (const pair of (header ?? "").split(";")) {
    const mark = pair.indexOf("=");
    if (mark > 0 && pair.slice(0, mark).trim() === NAME) {
      return parseCart(pair.slice(mark + 1).trim()) ?? emptyCart();
    }
  }
  return emptyCart();
}

/**
 * The Set-Cookie header that keeps a cart for 30 days, or forgets an empty one. `SameSite=Lax` keeps it out of
 * other sites' forms. Not `Secure`: the shop is also served over plain HTTP on the loopback interface.
 */
export function cartCookie(cart) {
  const attributes = "Path=/; HttpOnly; SameSite=Lax";
  return cart.lines.length === 0 && cart.tier === "standard"
    ? `${NAME}=; Max-Age=0; ${attributes}`
    : `${NAME}=${formatCart(cart)}; Max-Age=2592000; ${attributes}`;
}

/** Whether the cart still fits its limits. */
export function fits(cart) {
  return cart.lines.length <= MAX_LINES && formatCart(cart).length <= MAX_TEXT;
}

/** The cart with so many units of a product; none takes it out. Its place in the list stays. */
export function withQuantity(cart, sku, quantity) {
  if (quantity === 0) return { ...cart, lines: cart.lines.filter((line) => line.sku !== sku) };
  if (cart.lines.some((line) => line.sku === sku)) {
    return { ...cart, lines: cart.lines.map((line) => (line.sku === sku ? { sku, quantity } : line)) };
  }
  return { ...cart, lines: [...cart.lines, { sku, quantity }] };
}

/** Units of a product in the cart. */
export function quantityOf(cart, sku) {
  return cart.lines.find((line) => line.sku === sku)?.quantity ?? 0;
}

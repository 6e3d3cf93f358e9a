/**
 * A shop in memory, in the shape of the imports: what it throws has a `payload`, as the bindings have it.
 * It takes no stock, so that a test can ask for the same thing twice.
 */

import { answer } from "../src/routes.js";

/** Throws a contract error. */
export function fail(tag, val) {
  throw Object.assign(new Error(tag), { payload: { tag, val } });
}

const product = (sku, name, category, unitPrice, available) => ({ sku, name, description: `About ${name}`, category, unitPrice, available });

/** What is for sale unless a test says otherwise; one name is an attack. */
export const PRODUCTS = [
  product("A-1", "Hammer", "Tools", 1990n, 3n),
  product("B-2", '<script>alert("1")</script> & co', 'Odd "things"', 5n, 12n),
  product("C-3", "Press", "Machines", 9007199254740993n, 0n),
];

/** A shop over some products. `override` replaces single functions of catalog and checkout. */
export function fakeShop({ products = PRODUCTS, override = {} } = {}) {
  const orders = new Map();
  let keys = 0;
  const get = (sku) => products.find((item) => item.sku === sku) ?? fail("unknown-product", sku);
  const quoteCart = ({ lines, tier }) => {
    const quoted = lines.map(({ sku, quantity }) => {
      const { name, unitPrice } = get(sku);
      return { sku, name, quantity, unitPrice, total: unitPrice * BigInt(quantity) };
    });
    const subtotal = quoted.reduce((sum, { total }) => sum + total, 0n);
    const adjustments = tier === "gold" && subtotal > 0n
      ? [{ line: 0, reason: "<b>bulk</b>", amount: -1n }, { line: undefined, reason: "gold & more", amount: -2n }]
      : [];
    return { lines: quoted, adjustments, subtotal, total: adjustments.reduce((sum, { amount }) => sum + amount, subtotal) };
  };
  const place = (key, { customer, cart, expectedTotal }) => {
    if (orders.has(key)) return orders.get(key);
    if (customer === "") fail("invalid", "customer must have 1 to 200 characters");
    const quote = quoteCart(cart);
    if (expectedTotal !== undefined && expectedTotal !== quote.total) fail("total-changed", quote);
    const short = quote.lines.filter(({ sku, quantity }) => get(sku).available < BigInt(quantity));
    if (short.length > 0) fail("out-of-stock", short.map(({ sku, quantity }) => ({ sku, requested: quantity, available: get(sku).available })));
    const receipt = { orderId: `order${orders.size}`, placedAt: 1_795_219_200_000n, customer, tier: cart.tier, quote };
    orders.set(key, receipt);
    return receipt;
  };
  const find = (id) => [...orders.values()].find(({ orderId }) => orderId === id) ?? fail("unknown-order", id);
  const list = (after, limit) => {
    const rest = products.filter(({ sku }) => after === undefined || sku > after);
    const items = rest.slice(0, limit);
    return { items, next: rest.length > limit ? items.at(-1).sku : undefined };
  };
  return {
    catalog: { list, get, ...override.catalog },
    checkout: { quoteCart, place, get: find, ...override.checkout },
    newKey: () => String((keys += 1)).padStart(32, "0"),
    orders,
  };
}

/** Sends a request to the routes. `form` and `json` set the body and its type. */
export function send(shop, method, target, { headers = {}, form, json, body } = {}) {
  const all = { ...headers };
  let text = body ?? "";
  if (form !== undefined) {
    all["content-type"] ??= "application/x-www-form-urlencoded";
    text = new URLSearchParams(form).toString();
  }
  if (json !== undefined) {
    all["content-type"] ??= "application/json";
    text = typeof json === "string" ? json : JSON.stringify(json);
  }
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const request = { method, target, authority: "shop.example", header: (name) => all[name], body: () => bytes };
  const given = answer(request, shop);
  return {
    ...given,
    header: (name) => given.headers.find(([key]) => key === name)?.[1],
    json: () => JSON.parse(given.body),
  };
}

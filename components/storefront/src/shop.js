/**
 * What the interfaces for people and for programs both ask of the shop.
 *
 * A `shop` is `{ catalog, checkout, newKey }`: the two imported interfaces, and a function that makes a
 * fresh idempotency key. Tests pass objects of their own.
 */

import { contractError, notFound } from "./refusal.js";

/** Products in one call of `catalog.list`: the contract's limit. */
const PAGE = 250;

/** Calls of `catalog.list` for one request: what a page may cost. */
const MAX_CALLS = 8;

/** Runs `call`; the contract errors named in `tags` mean that what was asked for does not exist. */
function orNotFound(tags, detail, call) {
  try {
    return call();
  } catch (error) {
    if (tags.includes(contractError(error)?.tag)) throw notFound(detail);
    throw error;
  }
}

/** The product of this SKU. One that cannot be an SKU is not found either. */
export function findProduct(shop, sku) {
  return orNotFound(["unknown-product", "invalid"], `There is no product "${sku}" in this shop.`, () => shop.catalog.get(sku));
}

/** The receipt of the order of this id. */
export function findOrder(shop, id) {
  return orNotFound(["unknown-order", "invalid"], `There is no order "${id}".`, () => shop.checkout.get(id));
}

/**
 * Walks the catalogue from `after` on and keeps the products that `wanted` says, until `enough` of them are
 * found, the catalogue ends, or the walk has cost what one request may cost. `next` is where to go on.
 */
export function walkCatalog(shop, { after, wanted = () => true, enough = Infinity }) {
  const items = [];
  let from = after;
  for (let calls = 0; calls < MAX_CALLS; calls += 1) {
    const page = shop.catalog.list(from, PAGE);
    for (const product of page.items) {
      if (!wanted(product)) continue;
      if (items.length === enough) return { items, next: items.at(-1).sku };
      items.push(product);
    }
    from = page.next;
    if (from === undefined || from === null) return { items, next: undefined };
  }
  return { items, next: from };
}

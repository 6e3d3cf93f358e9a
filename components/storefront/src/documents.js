/**
 * The contract's values in the shape of the JSON interface. Money is left as BigInt: `encodeJson` makes
 * digits of it. Counts are numbers; the warehouse counts to a million at most.
 */

import { isoTime } from "./time.js";

/** A product. */
export const productDocument = ({ sku, name, description, category, unitPrice, available }) => ({
  sku,
  name,
  description,
  category,
  unitPrice,
  available: Number(available),
});

/** A quote. An adjustment for the whole cart has the line `null`. */
export const quoteDocument = ({ lines, adjustments, subtotal, total }) => ({
  lines: lines.map((line) => ({
    sku: line.sku,
    name: line.name,
    quantity: line.quantity,
    unitPrice: line.unitPrice,
    total: line.total,
  })),
  adjustments: adjustments.map(({ line, reason, amount }) => ({ line: line ?? null, reason, amount })),
  subtotal,
  total,
});

/** A receipt. */
export const receiptDocument = ({ orderId, placedAt, customer, tier, quote }) => ({
  orderId,
  placedAt: isoTime(placedAt),
  customer,
  tier,
  quote: quoteDocument(quote),
});

/** A product of which too little is left. */
export const shortageDocument = ({ sku, requested, available }) => ({ sku, requested, available: Number(available) });

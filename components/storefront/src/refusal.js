/**
 * Why a request was not done: one value that is a problem document for programs and a page for people.
 *
 * It also says what each error of the shop's contract means in HTTP. What storage or a pricing rule said
 * in its own words may name internals, and stays inside.
 */

import { quoteDocument, shortageDocument } from "./documents.js";

/** Thrown wherever a request cannot be done. `members` are added to the problem document. */
export class Refusal extends Error {
  constructor(status, kind, title, detail, { members = {}, headers = [] } = {}) {
    super(detail);
    this.status = status;
    this.kind = kind;
    this.title = title;
    this.detail = detail;
    this.members = members;
    this.headers = headers;
  }
}

/** The request itself is wrong. */
export const badRequest = (detail) => new Refusal(400, "bad-request", "The request is not valid", detail);

/** There is nothing of that name. */
export const notFound = (detail) => new Refusal(404, "not-found", "Not found", detail);

const retryAfter = (seconds) => ({ headers: [["retry-after", String(seconds)]] });

/** For each case of the contract's `error`: what it is in HTTP. */
const CONTRACT = {
  invalid: (words) => badRequest(words),
  "unknown-product": (sku) =>
    new Refusal(422, "unknown-product", "A product is not for sale", `There is no product "${sku}" in this shop.`, {
      members: { sku },
    }),
  "unknown-order": (id) => notFound(`There is no order "${id}".`),
  "out-of-stock": (shortages) =>
    new Refusal(409, "out-of-stock", "Too little is left", shortages.map(shortageText).join(" "), {
      members: { shortages: shortages.map(shortageDocument) },
    }),
  "total-changed": (quote) =>
    new Refusal(409, "total-changed", "The price has changed", "The cart does not cost what was expected. Nothing was bought.", {
      members: { quote: quoteDocument(quote) },
    }),
  "key-reused": () =>
    new Refusal(
      409,
      "key-reused",
      "This key was used for another order",
      "An idempotency key belongs to one order, and this one to an order with other contents. Nothing was bought. Use a new key; in the shop, open the cart again.",
    ),
  "too-large": () =>
    new Refusal(422, "too-large", "The cart is worth too much", "The subtotal is beyond 2^63 - 1 cents. Order less at a time."),
  pricing: (fault) =>
    new Refusal(
      502,
      "pricing",
      "The cart cannot be priced",
      fault.tag === "declined"
        ? `The pricing rule does not sell this cart: ${fault.val}`
        : "The pricing rule gave an answer that cannot be used. Nothing was bought.",
      { members: { fault: fault.tag } },
    ),
  busy: () =>
    new Refusal(
      503,
      "busy",
      "Too much is going on",
      "Nothing was bought. Try again in a moment, with the same idempotency key.",
      retryAfter(1),
    ),
  unavailable: () =>
    new Refusal(
      503,
      "unavailable",
      "The shop's storage does not answer",
      "Whether an order was placed is not known. Try again in a moment, with the same idempotency key: nothing is bought twice.",
      retryAfter(2),
    ),
};

/** One shortage in a sentence. */
export function shortageText({ sku, requested, available }) {
  return available === 0n
    ? `${sku} is sold out: ${requested} asked for.`
    : `Of ${sku} ${requested} were asked for, ${available} can be bought.`;
}

/**
 * The contract error that a call into the shop threw, or `undefined` where it threw something else.
 * Bindings throw an error whose `payload` is the case.
 */
export function contractError(error) {
  const payload = error?.payload;
  return payload && Object.hasOwn(CONTRACT, payload.tag) ? payload : undefined;
}

/** Whatever was thrown, as a refusal. What nobody foresaw tells nothing of itself. */
export function asRefusal(error) {
  if (error instanceof Refusal) return error;
  const known = contractError(error);
  if (known) return CONTRACT[known.tag](known.val);
  return new Refusal(500, "internal", "Something went wrong", "The shop failed to answer. It is not your fault.");
}

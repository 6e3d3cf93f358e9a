/**
 * The JSON interface. `docs/http-api.md` describes it for those who call it.
 *
 * Members that are not known are ignored, so that a newer client can talk to an older shop; members that
 * are known must have exactly their type. Only what the contract's types cannot carry is checked here; the
 * limits of customer names and carts belong to the business logic, which answers `invalid`.
 */

import * as answers from "./answers.js";
import { MAX_LINES, MAX_QUANTITY, TIERS } from "./cart.js";
import { productDocument, quoteDocument, receiptDocument } from "./documents.js";
import { decodeJson } from "./json.js";
import { parseU64 } from "./money.js";
import { Refusal, badRequest } from "./refusal.js";
import { findOrder, findProduct } from "./shop.js";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 250;

/** `GET /api/products?after=&limit=` */
export function listProducts(request, shop) {
  const limit = request.fields.get("limit") ?? String(DEFAULT_LIMIT);
  if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > MAX_LIMIT) {
    throw badRequest(`"limit" must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const { items, next } = shop.catalog.list(request.fields.get("after"), Number(limit));
  return answers.json(200, { items: items.map(productDocument), next: next ?? null });
}

/** `GET /api/products/{sku}` */
export function getProduct(request, shop, [sku]) {
  return answers.json(200, productDocument(findProduct(shop, sku)));
}

/** `POST /api/quotes` */
export function quote(request, shop) {
  const body = readObject(request);
  return answers.json(200, quoteDocument(shop.checkout.quoteCart(readCart(body))));
}

/**
 * `POST /api/orders`. A retry is answered as the first attempt was, 201 included: the contract does not
 * tell them apart, and a client that lost the first answer should not have to either.
 */
export function placeOrder(request, shop) {
  const key = readKey(request);
  const body = readObject(request);
  const receipt = shop.checkout.place(key, {
    customer: readText(body, "customer"),
    cart: readCart(body),
    expectedTotal: readTotal(body),
  });
  return answers.json(201, receiptDocument(receipt), [["location", `/api/orders/${encodeURIComponent(receipt.orderId)}`]]);
}

/** `GET /api/orders/{id}` */
export function getOrder(request, shop, [id]) {
  return answers.json(200, receiptDocument(findOrder(shop, id)));
}

function readKey(request) {
  const key = request.header("idempotency-key");
  if (key === undefined) {
    throw badRequest("The header Idempotency-Key is missing. Choose a value that nobody can guess, and keep it for retries.");
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw badRequest("The header Idempotency-Key must be given once, with 1 to 200 visible ASCII characters and no blanks.");
  }
  return key;
}

function readObject(request) {
  const type = (request.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refusal(415, "unsupported-type", "Unsupported content type", "The body must be sent as application/json.");
  }
  const body = decodeJson(request.body());
  if (!isObject(body)) throw badRequest("The body must be a JSON object.");
  return body;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function readText(object, name, place = name) {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  if (typeof value !== "string") throw badRequest(`"${place}" must be a string.`);
  if (!value.isWellFormed()) throw badRequest(`"${place}" has half of a surrogate pair: it is not Unicode text.`);
  return value;
}

function readCart(body) {
  const tier = Object.hasOwn(body, "tier") ? body.tier : "standard";
  if (!TIERS.includes(tier)) throw badRequest(`"tier" must be one of ${TIERS.map((name) => `"${name}"`).join(", ")}.`);
  const lines = Object.hasOwn(body, "lines") ? body.lines : undefined;
  if (!Array.isArray(lines)) throw badRequest('"lines" must be an array.');
  if (lines.length > MAX_LINES) throw badRequest(`"lines" has ${lines.length} entries; at most ${MAX_LINES} are allowed.`);
  return { tier, lines: lines.map(readLine) };
}

function readLine(line, index) {
  const place = `lines[${index}]`;
  if (!isObject(line)) throw badRequest(`"${place}" must be an object.`);
  const sku = readText(line, "sku", `${place}.sku`);
  const quantity = Object.hasOwn(line, "quantity") ? line.quantity : undefined;
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > MAX_QUANTITY) {
    throw badRequest(`"${place}.quantity" must be a whole number from 1 to ${MAX_QUANTITY}.`);
  }
  return { sku, quantity };
}

function readTotal(body) {
  if (!Object.hasOwn(body, "expectedTotal") || body.expectedTotal === null) return undefined;
  const total = parseU64(body.expectedTotal);
  if (total === null) throw badRequest('"expectedTotal" must be a string of digits, an unsigned 64-bit number of cents.');
  return total;
}

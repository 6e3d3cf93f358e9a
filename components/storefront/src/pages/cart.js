/**
 * What is done to the cart, and paying.
 *
 * Forms carry everything they need. The checkout form has the cart it shows, the total it shows and a fresh
 * idempotency key: sending it twice, or again after an answer was lost, buys once; and what was not shown
 * is not bought.
 */

import * as answers from "../answers.js";
import {
  MAX_LINES, MAX_QUANTITY, TIERS,
  cartCookie, cartFromCookies, emptyCart, fits, formatCart, parseCart, parseQuantity, quantityOf, withQuantity,
} from "../cart.js";
import { grouped, parseU64 } from "../money.js";
import { Refusal, asRefusal, badRequest, contractError } from "../refusal.js";
import { findProduct } from "../shop.js";
import { cartPage, emptyCartPage, unpricedCart } from "./cart-view.js";
import { readForm } from "./forms.js";

/** `POST /cart`: add, set, remove, tier, clear; then back to the cart. */
export function change(request, shop) {
  const form = readForm(request);
  const before = cartFromCookies(request.header("cookie"));
  const changed = changedCart(before, form, shop);
  if (!fits(changed)) {
    throw new Refusal(422, "cart-full", "The cart is full", `It holds ${MAX_LINES} products at most. Order these first, or take something out.`);
  }
  return answers.seeOther("/cart", [["set-cookie", cartCookie(changed)]]);
}

function changedCart(cart, form, shop) {
  const sku = form.get("sku") ?? "";
  switch (form.get("op")) {
    case "add": {
      const quantity = quantityOf(cart, sku) + wantedQuantity(form);
      if (quantity > MAX_QUANTITY) throw tooMany();
      return withQuantity(cart, findProduct(shop, sku).sku, quantity);
    }
    case "set":
      if (quantityOf(cart, sku) === 0) return cart;
      return withQuantity(cart, sku, form.get("quantity") === "0" ? 0 : wantedQuantity(form));
    case "remove":
      return withQuantity(cart, sku, 0);
    case "tier":
      if (!TIERS.includes(form.get("tier"))) throw badRequest("There is no such customer tier.");
      return { ...cart, tier: form.get("tier") };
    case "clear":
      return emptyCart();
    default:
      throw badRequest("The form does not say what to do with the cart.");
  }
}

const tooMany = () => badRequest(`A quantity must be a whole number from 1 to ${grouped(MAX_QUANTITY)}.`);

function wantedQuantity(form) {
  const quantity = parseQuantity(form.get("quantity"));
  if (quantity === null) throw tooMany();
  return quantity;
}

/** `GET /cart` */
export function show(request, shop) {
  return render(shop, { cart: cartFromCookies(request.header("cookie")) });
}

/**
 * `POST /checkout`. Where the customer can put it right (too little left, another price, a name that will not do)
 * the cart is shown again with what happened, and the same key: nothing was bought under it.
 */
export function checkout(request, shop) {
  const form = readForm(request);
  const cart = parseCart(form.get("cart"));
  const expectedTotal = parseU64(form.get("total"));
  const key = form.get("key") ?? "";
  if (cart === null || expectedTotal === null || !/^[0-9a-f]{32}$/.test(key)) {
    throw badRequest("The checkout form is not complete. Open the cart again and send it from there.");
  }
  const customer = (form.get("customer") ?? "").trim();
  try {
    const receipt = shop.checkout.place(key, { customer, cart, expectedTotal });
    const kept = cartFromCookies(request.header("cookie"));
    const bought = formatCart(kept) === formatCart(cart);
    return answers.seeOther(
      `/orders/${encodeURIComponent(receipt.orderId)}`,
      bought ? [["set-cookie", cartCookie(emptyCart())]] : [],
    );
  } catch (error) {
    const known = contractError(error);
    if (["out-of-stock", "total-changed", "unknown-product", "invalid"].includes(known?.tag)) {
      return render(shop, { cart, customer, key, trouble: known });
    }
    throw error;
  }
}

/** The quote for a cart; products that are no longer sold are taken out and named. */
function quoteWhatExists(shop, cart) {
  const gone = [];
  let rest = cart;
  for (;;) {
    try {
      return { cart: rest, gone, quote: shop.checkout.quoteCart(rest) };
    } catch (error) {
      const known = contractError(error);
      const sku = known?.tag === "unknown-product" ? known.val : undefined;
      if (sku === undefined || quantityOf(rest, sku) === 0) throw error;
      gone.push(sku);
      rest = withQuantity(rest, sku, 0);
    }
  }
}

/** The cart's page, with what went wrong at the checkout if something did. */
function render(shop, { cart: wanted, customer = "", key, trouble }) {
  let priced;
  try {
    priced = quoteWhatExists(shop, wanted);
  } catch (error) {
    if (!["too-large", "pricing"].includes(contractError(error)?.tag)) throw error;
    const refusal = asRefusal(error);
    return answers.page(refusal.status, unpricedCart(wanted, refusal), refusal.headers);
  }
  const { cart, gone, quote } = priced;
  const refusal = trouble && asRefusal({ payload: trouble });
  const markup =
    quote.lines.length === 0
      ? emptyCartPage(cart, gone)
      : cartPage({ cart, gone, quote, customer, key: key ?? shop.newKey(), trouble, refusal });
  const headers = gone.length > 0 || refusal ? [["set-cookie", cartCookie(cart)]] : [];
  return answers.page(refusal?.status ?? 200, markup, headers);
}

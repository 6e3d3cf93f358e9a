/**
 * The cart, what is done to it, and paying.
 *
 * Forms carry everything they need. The checkout form has the cart it shows, the total it shows and a fresh
 * idempotency key: sending it twice, or again after an answer was lost, buys once; and what was not shown
 * is not bought.
 */

import * as answers from "../answers.js";
import { parseFields } from "../address.js";
import {
  MAX_LINES, MAX_QUANTITY, TIERS,
  cartCookie, cartFromCookies, emptyCart, fits, formatCart, parseCart, parseQuantity, quantityOf, withQuantity,
} from "../cart.js";
import { html } from "../html.js";
import { utf8 } from "../json.js";
import { euros, grouped, parseU64 } from "../money.js";
import { Refusal, asRefusal, badRequest, contractError } from "../refusal.js";
import { findProduct } from "../shop.js";
import { layout } from "./layout.js";
import { lineAdjustments, sums, times } from "./money-lines.js";
import { productPicture } from "./pictures.js";

/**
 * The fields of a form that one of this shop's pages sent.
 *
 * Browsers tell where a form comes from: `Sec-Fetch-Site` where they know it, else `Origin`. Another site's form
 * is refused. A client that sends neither is no browser, and has no visitor's cookie to abuse.
 */
function readForm(request) {
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  const foreign =
    site !== undefined
      ? site !== "same-origin" && site !== "none"
      : origin !== undefined && origin.replace(/^https?:\/\//, "") !== request.authority;
  if (foreign) throw new Refusal(403, "cross-site", "This form came from elsewhere", "Only this shop's own pages may send its forms.");
  const type = (request.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new Refusal(415, "unsupported-type", "Unsupported content type", "A form must be sent as application/x-www-form-urlencoded.");
  }
  return parseFields(utf8(request.body()), "form");
}

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
  const { cart, gone, quote } = quoteWhatExists(shop, wanted);
  const refusal = trouble && asRefusal({ payload: trouble });
  const main =
    quote.lines.length === 0
      ? html`<h1>Your cart</h1>${goneNotice(gone)}<section class="empty"><h2>Nothing in it yet</h2><p>What you add waits here, on this device, for 30 days.</p><p class="actions"><a class="button" href="/">Look around</a></p></section>`
      : html`<h1>Your cart</h1>
${refusal && troubleNotice(trouble, refusal, quote)}
${goneNotice(gone)}
<div class="columns">
<ol class="lines">${quote.lines.map((line, index) => lineItem(quote, line, index))}</ol>
<aside class="summary">${tierForm(cart.tier)}${sums(quote)}${checkoutForm(shop, { cart, quote, customer, key })}</aside>
</div>`;
  const headers = gone.length > 0 || refusal ? [["set-cookie", cartCookie(cart)]] : [];
  return answers.page(refusal?.status ?? 200, layout({ title: refusal?.title ?? "Your cart", cart, main }), headers);
}

const goneNotice = (gone) =>
  gone.length > 0 && html`<p class="notice" role="status">No longer for sale, and taken out of your cart: ${gone.join(", ")}.</p>`;

function troubleNotice(trouble, refusal, quote) {
  if (trouble.tag === "total-changed") {
    return html`<div class="notice" role="alert"><h2>The price has changed</h2><p>Your cart now costs <strong>${euros(quote.total)}</strong>. Nothing was bought. If the new price suits you, place the order again.</p></div>`;
  }
  if (trouble.tag === "out-of-stock") {
    return html`<div class="notice" role="alert"><h2>Too little is left</h2><p>Nothing was bought.</p><ul>${trouble.val.map((shortage) => shortageItem(shortage, quote))}</ul></div>`;
  }
  return html`<div class="notice" role="alert"><h2>${refusal.title}</h2><p><bdi>${refusal.detail}</bdi></p></div>`;
}

function shortageItem({ sku, requested, available }, quote) {
  const name = quote.lines.find((line) => line.sku === sku)?.name ?? sku;
  const offer = available === 0n ? "Take it out" : `Take ${grouped(available)} instead`;
  return html`<li><strong>${name}</strong>: you want ${grouped(requested)}, ${available === 0n ? "none is" : html`${grouped(available)} ${available === 1n ? "is" : "are"}`} left. <form method="post" action="/cart"><input type="hidden" name="op" value="set"><input type="hidden" name="sku" value="${sku}"><input type="hidden" name="quantity" value="${available}"><button class="link" type="submit">${offer}</button></form></li>`;
}

function lineItem(quote, line, index) {
  const { sku, name, quantity, total } = line;
  const link = `/products/${encodeURIComponent(sku)}`;
  return html`<li>
<a class="thumb" href="${link}" tabindex="-1" aria-hidden="true">${productPicture(name, "", "small")}</a>
<div class="what"><a class="name" href="${link}">${name}</a><p class="sku">${sku} · ${times(line)}</p>${lineAdjustments(quote, index)}
<div class="edit"><form method="post" action="/cart"><input type="hidden" name="op" value="set"><input type="hidden" name="sku" value="${sku}"><label class="hidden" for="n${index}">Quantity of ${name}</label><input id="n${index}" name="quantity" type="number" inputmode="numeric" min="0" max="1000000" value="${quantity}" required><button class="button quiet" type="submit">Update</button></form><form method="post" action="/cart"><input type="hidden" name="op" value="remove"><input type="hidden" name="sku" value="${sku}"><button class="link" type="submit">Remove<span class="hidden"> ${name}</span></button></form></div></div>
<p class="amount">${euros(total)}</p>
</li>`;
}

function tierForm(current) {
  return html`<form class="tier" method="post" action="/cart"><input type="hidden" name="op" value="tier"><label for="tier">Customer tier</label><select id="tier" name="tier">${TIERS.map(
    (tier) => html`<option value="${tier}"${tier === current && html` selected`}>${tier[0].toUpperCase() + tier.slice(1)}</option>`,
  )}</select><button class="button quiet" type="submit">Apply</button></form>`;
}

function checkoutForm(shop, { cart, quote, customer, key }) {
  return html`<form class="pay" method="post" action="/checkout"><input type="hidden" name="cart" value="${formatCart(cart)}"><input type="hidden" name="total" value="${quote.total}"><input type="hidden" name="key" value="${key ?? shop.newKey()}"><label for="customer">Your name</label><input id="customer" name="customer" autocomplete="name" required maxlength="200" value="${customer}"><button class="button buy-now" type="submit">Place order · ${euros(quote.total)}</button><p class="muted">If the price has changed in the meantime we ask you again before anything is bought.</p></form>`;
}

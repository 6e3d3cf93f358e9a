/** How the cart looks: with its quote, empty, or without a price. */

import { TIERS, formatCart } from "../cart.js";
import { html } from "../html.js";
import { euros, grouped } from "../money.js";
import { layout } from "./layout.js";
import { lineAdjustments, sums, times } from "./money-lines.js";
import { productPicture } from "./pictures.js";

/** The cart with its quote and the checkout form; `trouble` is the contract error of a checkout that failed. */
export function cartPage({ cart, gone, quote, customer, key, trouble, refusal }) {
  const main = html`<h1>Your cart</h1>
${refusal && troubleNotice(trouble, refusal, quote)}
${goneNotice(gone)}
<div class="columns">
<div><ol class="lines">${quote.lines.map((line, index) => lineItem(quote, line, index))}</ol>${clearForm}</div>
<aside class="summary">${tierForm(cart.tier)}${sums(quote)}${checkoutForm({ cart, quote, customer, key })}</aside>
</div>`;
  return layout({ title: refusal?.title ?? "Your cart", cart, main });
}

/** A cart with nothing in it, or nothing left. */
export function emptyCartPage(cart, gone) {
  const main = html`<h1>Your cart</h1>
${goneNotice(gone)}
<section class="empty"><h2>Nothing in it yet</h2><p>What you add waits here, on this device, for 30 days.</p><p class="actions"><a class="button" href="/">Look around</a></p></section>`;
  return layout({ title: "Your cart", cart, main });
}

/** A cart that has no price. The way out is to change it, so it is shown all the same. */
export function unpricedCart(cart, refusal) {
  const main = html`<h1>Your cart</h1>
<div class="notice" role="alert"><h2>${refusal.title}</h2><p><bdi>${refusal.detail}</bdi></p></div>
<ol class="lines alone">${cart.lines.map(unpricedItem)}</ol>${clearForm}`;
  return layout({ title: refusal.title, cart, main });
}

function unpricedItem({ sku, quantity }, index) {
  return html`<li><div class="what"><a class="name" href="/products/${encodeURIComponent(sku)}">${sku}</a>${editForms(sku, sku, quantity, index)}</div></li>`;
}

const clearForm = html`<form class="clear" method="post" action="/cart"><input type="hidden" name="op" value="clear"><button class="link" type="submit">Empty the cart</button></form>`;

function editForms(sku, name, quantity, index) {
  return html`<div class="edit"><form method="post" action="/cart"><input type="hidden" name="op" value="set"><input type="hidden" name="sku" value="${sku}"><label class="hidden" for="n${index}">Quantity of ${name}</label><input id="n${index}" name="quantity" type="number" inputmode="numeric" min="0" max="1000000" value="${quantity}" required><button class="button quiet" type="submit">Update</button></form><form method="post" action="/cart"><input type="hidden" name="op" value="remove"><input type="hidden" name="sku" value="${sku}"><button class="link" type="submit">Remove<span class="hidden"> ${name}</span></button></form></div>`;
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
${editForms(sku, name, quantity, index)}</div>
<p class="amount">${euros(total)}</p>
</li>`;
}

function tierForm(current) {
  return html`<form class="tier" method="post" action="/cart"><input type="hidden" name="op" value="tier"><label for="tier">Customer tier</label><select id="tier" name="tier">${TIERS.map(
    (tier) => html`<option value="${tier}"${tier === current && html` selected`}>${tier[0].toUpperCase() + tier.slice(1)}</option>`,
  )}</select><button class="button quiet" type="submit">Apply</button></form>`;
}

function checkoutForm({ cart, quote, customer, key }) {
  return html`<form class="pay" method="post" action="/checkout"><input type="hidden" name="cart" value="${formatCart(cart)}"><input type="hidden" name="total" value="${quote.total}"><input type="hidden" name="key" value="${key}"><label for="customer">Your name</label><input id="customer" name="customer" autocomplete="name" required maxlength="200" value="${customer}"><button class="button buy-now" type="submit">Place order · ${euros(quote.total)}</button><p class="muted">If the price has changed in the meantime we ask you again before anything is bought.</p></form>`;
}

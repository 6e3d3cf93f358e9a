/** The receipt of an order. Whoever knows its address may see it; the address cannot be guessed. */

import * as answers from "../answers.js";
import { cartFromCookies } from "../cart.js";
import { html } from "../html.js";
import { euros } from "../money.js";
import { findOrder } from "../shop.js";
import { longTime, isoTime } from "../time.js";
import { BRAND, layout } from "./layout.js";
import { lineAdjustments, sums, times } from "./money-lines.js";
import { LOGO } from "./pictures.js";

/** Stripes that follow from the order's id. Nobody scans them; a receipt has them. */
function stripes(id) {
  let end = 0;
  const bars = [];
  for (const character of id) {
    const code = character.charCodeAt(0);
    const start = end + 2 + ((code >> 2) % 3);
    end = start + 1 + (code % 3);
    bars.push(html`<rect x="${start - 2}" y="0" width="${end - start}" height="40"/>`);
  }
  return html`<svg class="stripes" viewBox="0 0 ${Math.max(end - 2, 1)} 40" preserveAspectRatio="none" aria-hidden="true" focusable="false">${bars}</svg>`;
}

/** `GET /orders/{id}` */
export function show(request, shop, [id]) {
  const cart = cartFromCookies(request.header("cookie"));
  const { orderId, placedAt, customer, tier, quote } = findOrder(shop, id);
  const main = html`<p class="thanks"><strong>Thank you, <bdi>${customer}</bdi>.</strong> Your order is placed. Keep this page's address: it is your receipt.</p>
<div class="paper"><article class="receipt">
<header>${LOGO}<h1>${BRAND}</h1><p>Receipt</p></header>
<dl class="facts">
<div><dt>Order</dt><dd class="id">${orderId}</dd></div>
<div><dt>Date</dt><dd><time datetime="${isoTime(placedAt)}">${longTime(placedAt)}</time></dd></div>
<div><dt>Customer</dt><dd><bdi>${customer}</bdi></dd></div>
<div><dt>Tier</dt><dd>${tier}</dd></div>
</dl>
<ol class="items">${quote.lines.map(
    (line, index) =>
      html`<li><div class="item"><span class="name">${line.name}</span><span class="amount">${euros(line.total)}</span></div><div class="detail">${times(line)} · ${line.sku}</div>${lineAdjustments(quote, index)}</li>`,
  )}</ol>
${sums(quote)}
${stripes(orderId)}
<p class="end">Everything fits. See you soon.</p>
</article></div>
<p class="actions center"><a class="button" href="/">Back to the shop</a></p>`;
  return answers.page(200, layout({ title: `Receipt ${orderId}`, cart, main }));
}

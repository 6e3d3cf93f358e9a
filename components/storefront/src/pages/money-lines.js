/** Lines, adjustments and totals of a quote: the cart and the receipt show them alike. */

import { html } from "../html.js";
import { euros, grouped } from "../money.js";

const adjustmentRow = ({ reason, amount }) =>
  html`<div class="${amount < 0n ? "minus" : "plus"}"><dt><bdi>${reason}</bdi></dt><dd>${euros(amount)}</dd></div>`;

/** The adjustments of one line, each with its reason. */
export function lineAdjustments(quote, index) {
  const own = quote.adjustments.filter(({ line }) => line === index);
  return own.length > 0 && html`<dl class="sums own">${own.map(adjustmentRow)}</dl>`;
}

/** Subtotal, what all line rebates come to, the adjustments of the whole cart, total. */
export function sums(quote) {
  const onLines = quote.adjustments.filter(({ line }) => line !== undefined && line !== null);
  const onCart = quote.adjustments.filter(({ line }) => line === undefined || line === null);
  const linesSum = onLines.reduce((sum, { amount }) => sum + amount, 0n);
  return html`<dl class="sums">
<div><dt>Subtotal</dt><dd>${euros(quote.subtotal)}</dd></div>
${onLines.length > 0 && adjustmentRow({ reason: "On single products", amount: linesSum })}
${onCart.map(adjustmentRow)}
<div class="total"><dt>Total</dt><dd>${euros(quote.total)}</dd></div>
</dl>`;
}

/** `3 × €4.90` */
export const times = ({ quantity, unitPrice }) => html`${grouped(quantity)} × ${euros(unitPrice)}`;

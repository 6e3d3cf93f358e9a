/** What a person sees when a request was not done. */

import * as answers from "../answers.js";
import { html } from "../html.js";
import { layout } from "./layout.js";

const retry = (refusal) => refusal.status === 503 && html`<p>Reloading this page repeats exactly what you asked for; an order is never placed twice.</p>`;

/** The page for a refusal. */
export function errorPage(refusal, cart) {
  const main = html`<section class="trouble">
<p class="code">${refusal.status}</p>
<h1>${refusal.title}</h1>
<p><bdi>${refusal.detail}</bdi></p>
${retry(refusal)}
<p class="actions"><a class="button" href="/">To the catalogue</a> <a class="button quiet" href="/cart">To the cart</a></p>
</section>`;
  return answers.page(refusal.status, layout({ title: refusal.title, cart, main }), refusal.headers);
}

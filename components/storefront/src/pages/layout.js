/** The frame around every page: head, header with search and cart, footer. */

import { html } from "../html.js";
import { LOGO } from "./pictures.js";
import { STYLE_LINK } from "./style.js";

/** The shop's name. */
export const BRAND = "Interlock Supply";

/**
 * A whole page. `cart` is the visitor's, for the counter in the header; `search` is what stands in the
 * search field.
 */
export function layout({ title, cart, search = "", main }) {
  const count = cart.lines.length;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${BRAND}</title>
<link rel="stylesheet" href="${STYLE_LINK}">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top"><div class="wide bar">
<a class="brand" href="/">${LOGO}<span>Interlock <em>Supply</em></span></a>
<form class="search" action="/" method="get" role="search"><label class="hidden" for="q">Search the catalogue</label><input id="q" type="search" name="q" value="${search}" placeholder="Search 8 mm, sander, notebook…" maxlength="100"><button type="submit">Search</button></form>
<a class="basket" href="/cart"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M3 4h2.500l2.200 11h10.600L21 7H6.500"/><circle cx="9.500" cy="19.500" r="1.500"/><circle cx="16.500" cy="19.500" r="1.500"/></svg>Cart${count > 0 && html` <b>${count}</b><span class="hidden"> ${count === 1 ? "product" : "products"}</span>`}</a>
</div></header>
<main id="main" class="wide">
${main}
</main>
<footer class="bottom"><div class="wide">
<p><strong>${BRAND}</strong><br>Tools, parts and machines that fit together.</p>
<p>Prices in euros. What a rebate is for is written beside it, before you pay.</p>
</div></footer>
</body>
</html>
`;
}

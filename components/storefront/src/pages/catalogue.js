/**
 * The pages to look around: the shop's front, a category, the results of a search, a product.
 *
 * The contract lists products by SKU and knows no search, so these pages walk the catalogue. A walk is
 * bounded (`shop.js`); what is beyond is reached by a link that goes on where it stopped.
 */

import * as answers from "../answers.js";
import { cartFromCookies, quantityOf } from "../cart.js";
import { html } from "../html.js";
import { euros, grouped } from "../money.js";
import { findProduct, walkCatalog } from "../shop.js";
import { layout } from "./layout.js";
import { HERO, categoryPicture, productPicture } from "./pictures.js";

/** Products of a category on the front page. */
const SAMPLE = 4;

/** Products on one page of results. */
const RESULTS = 60;

/** Words of a search that count: it is compared with every product. */
const MAX_WORDS = 8;

/**
 * Lower case, with one blank for whatever is between words: `“Écrin”, blue` becomes ` écrin blue`. The component's
 * engine has no Unicode tables for `\p{…}`, so the blocks of signs and punctuation are named.
 */
const plainWords = (text) => text.toLowerCase().replace(/[\u0000-\u002f:-@[-`{-\u00bf\u00d7\u2000-\u206f]+/g, " ");

/** From here down the stock is worth a word. */
const FEW = 5n;

function stockState(available) {
  if (available === 0n) return html`<span class="stock none">Sold out</span>`;
  if (available <= FEW) return html`<span class="stock few">Only ${available} left</span>`;
  return html`<span class="stock">In stock</span>`;
}

const productLink = (sku) => `/products/${encodeURIComponent(sku)}`;
const categoryLink = (category) => `/?category=${encodeURIComponent(category)}`;

function card(product) {
  const { sku, name, category, unitPrice, available } = product;
  return html`<li class="card">
<a class="face" href="${productLink(sku)}">${productPicture(name, category, "large")}<span class="name">${name}</span></a>
<p class="sku">${sku}</p>
<p class="price">${euros(unitPrice)}</p>
<div class="foot">${stockState(available)}${
    available > 0n &&
    html`<form method="post" action="/cart"><input type="hidden" name="op" value="add"><input type="hidden" name="sku" value="${sku}"><input type="hidden" name="quantity" value="1"><button type="submit" aria-label="Add ${name} to the cart">Add</button></form>`
  }</div>
</li>`;
}

const grid = (products) => html`<ul class="grid">${products.map(card)}</ul>`;

/** A few products from all over the list: neighbours by SKU are often sizes of one thing. */
function sample(products) {
  const count = Math.min(SAMPLE, products.length);
  return Array.from({ length: count }, (_, index) => products[Math.floor((index * products.length) / count)]);
}

/** Products by category, in the order of their first SKU. */
function byCategory(products) {
  const groups = new Map();
  for (const product of products) {
    if (!groups.has(product.category)) groups.set(product.category, []);
    groups.get(product.category).push(product);
  }
  return [...groups];
}

function more(next, params) {
  if (next === undefined) return undefined;
  const query = Object.entries({ ...params, after: next })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  return html`<p class="more"><a class="button quiet" href="/?${query}">More products</a></p>`;
}

/** `GET /`, `GET /?category=…`, `GET /?q=…`, each from `after` on. */
export function home(request, shop) {
  const cart = cartFromCookies(request.header("cookie"));
  const after = request.fields.get("after");
  const search = (request.fields.get("q") ?? "").trim().slice(0, 100);
  const category = request.fields.get("category");
  if (search !== "") return results(shop, { cart, after, search });
  if (category !== undefined) return oneCategory(shop, { cart, after, category });
  return front(shop, { cart, after });
}

function front(shop, { cart, after }) {
  const { items, next } = walkCatalog(shop, { after });
  const groups = byCategory(items);
  const main = html`
${
    after !== undefined
      ? html`<nav class="crumbs" aria-label="You are here"><a href="/">All products</a> <span>/</span> further on</nav><div class="shelf-title"><h1>More products</h1></div>`
      : html`<section class="hero"><div><h1>Everything fits.</h1><p>${grouped(items.length)}${next !== undefined && "+"} tools, parts and machines for people who make things, from the single washer to the whole workshop.</p><p class="actions"><a class="button" href="#shelves">See the shelves</a></p></div>${HERO}</section>`
  }
${
    groups.length === 0
      ? html`<section class="empty"><h2>The shelves are empty</h2><p>Nothing is for sale yet. Come back soon.</p></section>`
      : html`<nav id="shelves" class="shelves" aria-label="Categories"><ul>${groups.map(
          ([name, products]) =>
            html`<li><a href="${categoryLink(name)}">${categoryPicture(name, "small")}<span><strong>${name}</strong><br><small>${products.length} ${products.length === 1 ? "product" : "products"}</small></span></a></li>`,
        )}</ul></nav>`
  }
${groups.map(
    ([name, products]) => html`<section class="shelf"><div class="shelf-head"><h2>${name}</h2>${
      products.length > SAMPLE && html`<a href="${categoryLink(name)}">See all ${products.length}<span class="hidden"> in ${name}</span> →</a>`
    }</div>${grid(sample(products))}</section>`,
  )}
${more(next, {})}`;
  return answers.page(200, layout({ title: "Tools, parts and machines", cart, main }));
}

function oneCategory(shop, { cart, after, category }) {
  const { items, next } = walkCatalog(shop, { after, enough: RESULTS, wanted: (product) => product.category === category });
  const main = html`<nav class="crumbs" aria-label="You are here"><a href="/">All products</a> <span>/</span> ${category}</nav>
<div class="shelf-title">${categoryPicture(category, "small")}<h1>${category}</h1></div>
${
    items.length === 0
      ? html`<section class="empty"><h2>Nothing here</h2><p>No product is listed under this category${after !== undefined && " from here on"}.</p><p class="actions"><a class="button" href="/">All products</a></p></section>`
      : grid(items)
  }
${more(next, { category })}`;
  return answers.page(200, layout({ title: category, cart, main }));
}

function results(shop, { cart, after, search }) {
  const words = [...new Set(plainWords(search).split(" ").filter((word) => word !== ""))].slice(0, MAX_WORDS);
  const wanted = ({ sku, name, category, description }) => {
    const text = ` ${plainWords(`${sku} ${name} ${category} ${description}`)}`;
    return words.length > 0 && words.every((word) => text.includes(` ${word}`));
  };
  const { items, next } = walkCatalog(shop, { after, enough: RESULTS, wanted });
  const main = html`<nav class="crumbs" aria-label="You are here"><a href="/">All products</a> <span>/</span> Search</nav>
<div class="shelf-title"><h1>${items.length === 0 ? "Nothing found" : "Found"} for “<bdi>${search}</bdi>”</h1></div>
${
    items.length === 0
      ? html`<section class="empty"><p>No product has words that begin like all of these. Fewer or shorter words find more.</p><p class="actions"><a class="button" href="/">All products</a></p></section>`
      : grid(items)
  }
${more(next, { q: search })}`;
  return answers.page(200, layout({ title: `Search: ${search}`, cart, search, main }));
}

/** `GET /products/{sku}` */
export function product(request, shop, [wantedSku]) {
  const cart = cartFromCookies(request.header("cookie"));
  const { sku, name, description, category, unitPrice, available } = findProduct(shop, wantedSku);
  const inCart = quantityOf(cart, sku);
  const main = html`<nav class="crumbs" aria-label="You are here"><a href="/">All products</a> <span>/</span> <a href="${categoryLink(category)}">${category}</a> <span>/</span> ${name}</nav>
<article class="product">
${productPicture(name, category, "huge")}
<div>
<h1>${name}</h1>
<p class="sku">${sku}</p>
<p class="price">${euros(unitPrice)} <small>a piece</small></p>
<p>${stockState(available)}${available > FEW && html` <span class="muted">${grouped(available)} ready to ship</span>`}</p>
${description.split("\n").map((paragraph) => paragraph !== "" && html`<p class="description">${paragraph}</p>`)}
${
    available > 0n
      ? html`<form class="buy" method="post" action="/cart"><input type="hidden" name="op" value="add"><input type="hidden" name="sku" value="${sku}"><label for="quantity">Quantity</label><input id="quantity" name="quantity" type="number" inputmode="numeric" min="1" max="1000000" value="1" required><button class="button" type="submit">Add to cart</button></form>`
      : html`<p class="notice">We have none left. Look at <a href="${categoryLink(category)}">others of its kind</a>.</p>`
  }
${inCart > 0 && html`<p class="muted">In your cart: ${grouped(inCart)}. <a href="/cart">To the cart</a></p>`}
</div>
</article>`;
  return answers.page(200, layout({ title: name, cart, main }));
}

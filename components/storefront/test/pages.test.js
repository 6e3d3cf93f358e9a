// The pages, over a shop in memory.
import assert from "node:assert/strict";
import { test } from "node:test";

import { cartFromCookies } from "../src/cart.js";
import { fail, fakeShop, send } from "../testing/fakes.js";

const cookie = (cart) => ({ cookie: `cart=${cart}` });
const kept = (answer) => cartFromCookies(answer.header("set-cookie")?.split(";")[0]);
const field = (body, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1];

/** A shop with the checkout form of a cart, as a browser would send it. */
function checkoutForm(shop, cart, customer = "Ada") {
  const { body } = send(shop, "GET", "/cart", { headers: cookie(cart) });
  return { cart: field(body, "cart"), total: field(body, "total"), key: field(body, "key"), customer };
}

test("every page is a page, without script, under the policy", () => {
  const shop = fakeShop();
  for (const target of ["/", "/?q=hammer", "/?category=Tools", "/products/A-1", "/cart", "/nothing"]) {
    const answer = send(shop, "GET", target, { headers: cookie("1|gold|A-1:2|B-2:1") });
    assert.equal(answer.header("content-type"), "text/html; charset=utf-8");
    assert.match(answer.header("content-security-policy"), /^default-src 'none';/);
    assert.equal(answer.header("x-content-type-options"), "nosniff");
    assert.match(answer.body, /^<!doctype html>/);
    assert.doesNotMatch(answer.body, /<script|\son[a-z]+=|javascript:|\sstyle="/i, target);
    assert.doesNotMatch(answer.body, /undefined|\[object|NaN/, target);
  }
});

test("names, reasons and queries are shown as text", () => {
  const shop = fakeShop();
  assert.match(send(shop, "GET", "/products/B-2").body, /&lt;script&gt;alert\(&quot;1&quot;\)/);
  assert.match(send(shop, "GET", "/cart", { headers: cookie("1|gold|A-1:2") }).body, /&lt;b&gt;bulk&lt;\/b&gt;/);
  const search = send(shop, "GET", `/?q=${encodeURIComponent('"><img src=x>')}`).body;
  assert.match(search, /value="&quot;&gt;&lt;img src=x&gt;"/);
  assert.doesNotMatch(search, /<img/);
  assert.doesNotMatch(send(shop, "GET", "/%3Cimg%3E").body, /<img/);
  assert.doesNotMatch(send(shop, "GET", "/products/%3Cimg%3E").body, /<img/);
});

test("the front page groups by category; search and category pick", () => {
  const shop = fakeShop();
  const front = send(shop, "GET", "/").body;
  for (const text of ["Tools", "Odd &quot;things&quot;", "Machines", "€90,071,992,547,409.93", "Sold out", "Only 3 left"]) assert.ok(front.includes(text), text);
  assert.match(send(shop, "GET", "/?q=HAMM+tools").body, /\/products\/A-1"/);
  assert.doesNotMatch(send(shop, "GET", "/?q=hammer").body, /\/products\/B-2"/);
  for (const query of ["zzz", "ammer", "%2B%2B", "hammer+zzz"]) assert.match(send(shop, "GET", `/?q=${query}`).body, /Nothing found/, query);
  const accents = fakeShop({ products: [{ sku: "E-1", name: "“Écrin” pen", description: "", category: "Süß", unitPrice: 1n, available: 1n }] });
  for (const query of ["écrin", "ÉCR", "süß", "e-1", "pen+écr"]) assert.match(send(accents, "GET", `/?q=${encodeURI(query)}`).body, /Found for/, query);
  assert.match(send(shop, "GET", "/?category=Odd+%22things%22").body, /\/products\/B-2"/);
  assert.match(send(fakeShop({ products: [] }), "GET", "/").body, /shelves are empty/);
});

test("a large catalogue is walked in bounds, and every product is reached", () => {
  const products = Array.from({ length: 5000 }, (_, n) => ({
    sku: `S${String(n).padStart(4, "0")}`, name: `Bolt ${n}`, description: "", category: "Bolts", unitPrice: 1n, available: 1n,
  }));
  let calls = 0;
  const plain = fakeShop({ products });
  const shop = { ...plain, catalog: { ...plain.catalog, list: (...given) => { calls += 1; return plain.catalog.list(...given); } } };
  const seen = new Set();
  let target = "/?category=Bolts";
  while (target !== undefined) {
    calls = 0;
    const { body } = send(shop, "GET", target);
    assert.ok(calls <= 8);
    assert.match(body, /<h1>/);
    for (const [, sku] of body.matchAll(/href="\/products\/(S\d+)"/g)) {
      assert.ok(!seen.has(sku));
      seen.add(sku);
    }
    target = /href="(\/\?[^"]*after=[^"]*)"/.exec(body)?.[1].replaceAll("&amp;", "&");
  }
  assert.equal(seen.size, 5000);
  assert.match(send(shop, "GET", "/?after=S2000").body, /<h1>More products/);
  const rare = send(shop, "GET", "/?q=4999").body;
  assert.match(rare, /after=S1999/, "the search goes on where the walk stopped");
});

test("things are put into the cart, changed and taken out", () => {
  const shop = fakeShop();
  const added = send(shop, "POST", "/cart", { form: { op: "add", sku: "A-1", quantity: "2" } });
  assert.equal(added.status, 303);
  assert.equal(added.header("location"), "/cart");
  assert.deepEqual(kept(added).lines, [{ sku: "A-1", quantity: 2 }]);
  const headers = cookie("1|standard|A-1:2");
  assert.deepEqual(kept(send(shop, "POST", "/cart", { headers, form: { op: "add", sku: "A-1", quantity: "3" } })).lines, [{ sku: "A-1", quantity: 5 }]);
  assert.deepEqual(kept(send(shop, "POST", "/cart", { headers, form: { op: "set", sku: "A-1", quantity: "7" } })).lines, [{ sku: "A-1", quantity: 7 }]);
  assert.deepEqual(kept(send(shop, "POST", "/cart", { headers, form: { op: "set", sku: "A-1", quantity: "0" } })).lines, []);
  assert.deepEqual(kept(send(shop, "POST", "/cart", { headers, form: { op: "remove", sku: "A-1" } })).lines, []);
  assert.equal(kept(send(shop, "POST", "/cart", { headers, form: { op: "tier", tier: "gold" } })).tier, "gold");
  assert.deepEqual(kept(send(shop, "POST", "/cart", { headers, form: { op: "clear" } })).lines, []);
});

test("forms that make no sense are refused", () => {
  const shop = fakeShop();
  const cases = [
    [{ op: "add", sku: "A-1", quantity: "0" }, 400], [{ op: "add", sku: "A-1", quantity: "1.5" }, 400],
    [{ op: "add", sku: "A-1", quantity: "1000001" }, 400], [{ op: "add", sku: "A-1" }, 400], [{ op: "add", sku: "Z", quantity: "1" }, 404],
    [{ op: "tier", tier: "platinum" }, 400], [{ op: "steal" }, 400], [{}, 400],
  ];
  for (const [form, status] of cases) assert.equal(send(shop, "POST", "/cart", { form }).status, status, JSON.stringify(form));
  const full = `1|gold|${Array.from({ length: 100 }, (_, n) => `S${n}:1`).join("|")}`;
  assert.equal(send(shop, "POST", "/cart", { headers: cookie(full), form: { op: "add", sku: "A-1", quantity: "1" } }).status, 422);
  assert.equal(send(shop, "POST", "/cart", { headers: cookie("1|gold|A-1:1000000"), form: { op: "add", sku: "A-1", quantity: "1" } }).status, 400);
  assert.equal(send(shop, "POST", "/cart", { headers: { "content-type": "application/json" }, body: "{}" }).status, 415);
  assert.equal(send(shop, "GET", "/checkout").header("allow"), "POST");
});

test("a form from another site is refused", () => {
  const shop = fakeShop();
  const post = (headers) => send(shop, "POST", "/cart", { headers, form: { op: "clear" } }).status;
  assert.equal(post({}), 303);
  assert.equal(post({ "sec-fetch-site": "same-origin" }), 303);
  assert.equal(post({ origin: "http://shop.example" }), 303);
  assert.equal(post({ "sec-fetch-site": "cross-site" }), 403);
  assert.equal(post({ "sec-fetch-site": "same-site" }), 403);
  assert.equal(post({ origin: "https://evil.example" }), 403);
  assert.equal(post({ origin: "null" }), 403);
});

test("an order leads to its receipt, and sending the form again buys nothing more", () => {
  const shop = fakeShop();
  const form = checkoutForm(shop, "1|gold|A-1:2", 'Zoë <i>"Z"</i>');
  const first = send(shop, "POST", "/checkout", { headers: cookie("1|gold|A-1:2"), form });
  assert.equal(first.status, 303);
  assert.equal(first.header("location"), "/orders/order0");
  assert.match(first.header("set-cookie"), /Max-Age=0/);
  const again = send(shop, "POST", "/checkout", { form });
  assert.equal(again.header("location"), "/orders/order0");
  assert.equal(shop.orders.size, 1);
  const receipt = send(shop, "GET", "/orders/order0");
  assert.equal(receipt.status, 200);
  for (const text of ["order0", "Zoë &lt;i&gt;&quot;Z&quot;&lt;/i&gt;", "€39.77", "gold &amp; more", "21 November 2026"]) assert.ok(receipt.body.includes(text), text);
  assert.equal(send(shop, "GET", "/orders/none").status, 404);
});

test("a cart that went on meanwhile is not thrown away", () => {
  const shop = fakeShop();
  const form = checkoutForm(shop, "1|gold|A-1:2");
  assert.equal(send(shop, "POST", "/checkout", { headers: cookie("1|gold|A-1:2|B-2:1"), form }).header("set-cookie"), undefined);
});

test("each cart page has a key of its own", () => {
  const shop = fakeShop();
  assert.notEqual(checkoutForm(shop, "1|gold|A-1:2").key, checkoutForm(shop, "1|gold|A-1:2").key);
});

test("too little stock: the page says of what, how much is left, and offers it", () => {
  const shop = fakeShop();
  const form = checkoutForm(shop, "1|standard|A-1:9|C-3:1");
  const answer = send(shop, "POST", "/checkout", { form });
  assert.equal(answer.status, 409);
  assert.match(answer.body, /Hammer<\/strong>: you want 9, 3 are left/);
  assert.match(answer.body, /Take 3 instead/);
  assert.match(answer.body, /Press<\/strong>: you want 1, none is left/);
  assert.match(answer.body, /value="Ada"/);
  assert.equal(field(answer.body, "key"), form.key);
});

test("another price: the page shows it and asks again", () => {
  const shop = fakeShop();
  const form = { ...checkoutForm(shop, "1|standard|A-1:1"), total: "1" };
  const answer = send(shop, "POST", "/checkout", { form });
  assert.equal(answer.status, 409);
  assert.match(answer.body, /now costs <strong>€19\.90/);
  assert.equal(field(answer.body, "total"), "1990");
  assert.equal(send(shop, "POST", "/checkout", { form: { ...form, total: field(answer.body, "total") } }).status, 303);
});

test("what else can go wrong at the checkout", () => {
  const shop = fakeShop();
  const form = checkoutForm(shop, "1|standard|A-1:1");
  assert.equal(send(shop, "POST", "/checkout", { form: { ...form, customer: "   " } }).status, 400);
  for (const change of [{ cart: "x" }, { total: "" }, { total: "-1" }, { key: "" }, { key: "guess" }]) {
    assert.equal(send(shop, "POST", "/checkout", { form: { ...form, ...change } }).status, 400);
  }
  for (const [tag, status] of [["key-reused", 409], ["busy", 503], ["too-large", 422]]) {
    const failing = fakeShop({ override: { checkout: { place: () => fail(tag) } } });
    assert.equal(send(failing, "POST", "/checkout", { form }).status, status);
  }
});

test("a cart without a price can still be changed", () => {
  for (const [fault, status] of [[() => fail("too-large"), 422], [() => fail("pricing", { tag: "declined", val: "no <i>" }), 502]]) {
    const shop = fakeShop({ override: { checkout: { quoteCart: fault } } });
    const answer = send(shop, "GET", "/cart", { headers: cookie("1|gold|A-1:1000000") });
    assert.equal(answer.status, status);
    assert.match(answer.body, /name="op" value="remove"><input type="hidden" name="sku" value="A-1"/);
    assert.match(answer.body, /name="op" value="clear"/);
    assert.doesNotMatch(answer.body, /<i>/);
  }
});

test("products that are gone leave the cart, named", () => {
  const answer = send(fakeShop(), "GET", "/cart", { headers: cookie("1|silver|GONE:1|A-1:1|ALSO:2") });
  assert.equal(answer.status, 200);
  assert.match(answer.body, /taken out of your cart: GONE, ALSO/);
  assert.deepEqual(kept(answer).lines, [{ sku: "A-1", quantity: 1 }]);
});

test("the style sheet and the icon are there, and pages link to them", () => {
  const shop = fakeShop();
  const [, link] = /<link rel="stylesheet" href="([^"]+)">/.exec(send(shop, "GET", "/").body);
  assert.equal(send(shop, "GET", link).header("content-type"), "text/css; charset=utf-8");
  assert.equal(send(shop, "GET", "/favicon.svg").header("content-type"), "image/svg+xml");
});

// The JSON interface: documents, statuses, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fail, fakeShop, send } from "../testing/fakes.js";

const order = { customer: "Ada", tier: "gold", lines: [{ sku: "A-1", quantity: 2 }] };
const key = { "idempotency-key": "k-1" };

function assertProblem(answer, status, kind) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.header("content-type"), "application/problem+json");
  const document = answer.json();
  assert.equal(document.status, status);
  assert.equal(document.type, `urn:interlock:problem:${kind}`);
  assert.ok(document.title.length > 0 && document.detail.length > 0);
  return document;
}

test("products are listed in pages, with exact prices", () => {
  const shop = fakeShop();
  const first = send(shop, "GET", "/api/products?limit=2").json();
  assert.deepEqual(first.items.map(({ sku }) => sku), ["A-1", "B-2"]);
  assert.equal(first.next, "B-2");
  const second = send(shop, "GET", "/api/products?limit=2&after=B-2").json();
  assert.equal(second.next, null);
  assert.equal(second.items[0].unitPrice, "9007199254740993");
  assert.deepEqual(send(shop, "GET", "/api/products/A-1").json(), {
    sku: "A-1", name: "Hammer", description: "About Hammer", category: "Tools", unitPrice: "1990", available: 3,
  });
  for (const limit of ["0", "251", "-1", "1.5", "", "x", "1e2"]) {
    assertProblem(send(shop, "GET", `/api/products?limit=${limit}`), 400, "bad-request");
  }
  assertProblem(send(shop, "GET", "/api/products/none"), 404, "not-found");
});

test("a quote shows lines, adjustments and totals", () => {
  const answer = send(fakeShop(), "POST", "/api/quotes", { json: { lines: order.lines, tier: "gold", unknown: 1 } });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), {
    lines: [{ sku: "A-1", name: "Hammer", quantity: 2, unitPrice: "1990", total: "3980" }],
    adjustments: [{ line: 0, reason: "<b>bulk</b>", amount: "-1" }, { line: null, reason: "gold & more", amount: "-2" }],
    subtotal: "3980",
    total: "3977",
  });
  assert.equal(send(fakeShop(), "POST", "/api/quotes", { json: { lines: [] } }).json().total, "0");
});

test("an order is created once, and its retry has the same body", () => {
  const shop = fakeShop();
  const first = send(shop, "POST", "/api/orders", { json: { ...order, expectedTotal: "3977" }, headers: key });
  const again = send(shop, "POST", "/api/orders", { json: { ...order, expectedTotal: "3977" }, headers: key });
  assert.equal(first.status, 201);
  assert.equal(first.header("location"), "/api/orders/order0");
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(first.json().placedAt, "2026-11-21T00:00:00.000Z");
  assert.equal(send(shop, "GET", first.header("location")).body, first.body);
  assert.equal(shop.orders.size, 1);
});

test("what is no cart is refused before the shop is asked", () => {
  const never = () => assert.fail("the shop was asked");
  const shop = fakeShop({ override: { checkout: { quoteCart: never, place: never } } });
  const line = (quantity) => `{"lines":[{"sku":"A","quantity":${quantity}}]}`;
  const bodies = [
    "", "x", "[]", "null", "1", "{}", '{"lines":{}}', '{"lines":null}', '{"lines":[null]}', '{"lines":[[]]}', '{"lines":[{}]}',
    '{"lines":[{"sku":1,"quantity":1}]}', '{"lines":[{"sku":"\\ud800","quantity":1}]}', '{"lines":[],"tier":"platinum"}',
    '{"lines":[],"tier":null}', '{"lines":[],"tier":["gold"]}', '{"__proto__":{"lines":[]}}', "[".repeat(60_000),
    line("1.5"), line("0"), line("-1"), line("1000001"), line("18446744073709551616"), line("1e400"), line('"1"'), line("null"), line("true"),
    JSON.stringify({ lines: Array.from({ length: 101 }, () => ({ sku: "A", quantity: 1 })) }),
  ];
  for (const json of bodies) assertProblem(send(shop, "POST", "/api/quotes", { json }), 400, "bad-request");
  const headers = { "content-type": "application/json" };
  assertProblem(send(shop, "POST", "/api/quotes", { body: Uint8Array.of(0x7b, 0xff, 0x7d), headers }), 400, "bad-request");
  for (const change of [{ customer: 1 }, { customer: undefined }, { expectedTotal: 5 }, { expectedTotal: "-1" }, { expectedTotal: "1.0" }, { expectedTotal: "18446744073709551616" }, { customer: "\ud800" }]) {
    assertProblem(send(shop, "POST", "/api/orders", { json: { ...order, ...change }, headers: key }), 400, "bad-request");
  }
});

test("an order needs one good idempotency key", () => {
  for (const value of [undefined, "", "a b", "a, b", "ä", "x".repeat(201), "a\u0000"]) {
    const headers = value === undefined ? {} : { "idempotency-key": value };
    assertProblem(send(fakeShop(), "POST", "/api/orders", { json: order, headers }), 400, "bad-request");
  }
  assert.equal(send(fakeShop(), "POST", "/api/orders", { json: order, headers: { "idempotency-key": "x".repeat(200) } }).status, 201);
});

test("only JSON is read", () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "", "application/json5"]) {
    assertProblem(send(fakeShop(), "POST", "/api/quotes", { body: '{"lines":[]}', headers: { "content-type": type } }), 415, "unsupported-type");
  }
  const headers = { "content-type": "Application/JSON; charset=utf-8" };
  assert.equal(send(fakeShop(), "POST", "/api/quotes", { body: '{"lines":[]}', headers }).status, 200);
});

test("every error of the contract has its status, and storage's own words stay inside", () => {
  const quote = { lines: [], adjustments: [], subtotal: 0n, total: 7n };
  const cases = [
    ["invalid", "customer: at most 200", 400, "bad-request"],
    ["unknown-product", "Z", 422, "unknown-product"],
    ["unknown-order", "Z", 404, "not-found"],
    ["out-of-stock", [{ sku: "A-1", requested: 9, available: 3n }], 409, "out-of-stock"],
    ["total-changed", quote, 409, "total-changed"],
    ["key-reused", undefined, 409, "key-reused"],
    ["too-large", undefined, 422, "too-large"],
    ["pricing", { tag: "negative-total" }, 502, "pricing"],
    ["pricing", { tag: "refused", val: "secret words" }, 502, "pricing"],
    ["busy", undefined, 503, "busy"],
    ["unavailable", "secret words", 503, "unavailable"],
  ];
  for (const [tag, val, status, kind] of cases) {
    const shop = fakeShop({ override: { checkout: { place: () => fail(tag, val) } } });
    const answer = send(shop, "POST", "/api/orders", { json: order, headers: key });
    const document = assertProblem(answer, status, kind);
    assert.doesNotMatch(answer.body, /secret/);
    if (status === 503) assert.match(answer.header("retry-after"), /^[1-9]$/);
    if (tag === "out-of-stock") assert.deepEqual(document.shortages, [{ sku: "A-1", requested: 9, available: 3 }]);
    if (tag === "total-changed") assert.equal(document.quote.total, "7");
  }
});

test("what nobody foresaw is a 500 that tells nothing", () => {
  for (const thrown of [new TypeError("secret words"), "secret words", undefined, { payload: { tag: "constructor" } }, { payload: "secret words" }]) {
    const shop = fakeShop({ override: { catalog: { list: () => { throw thrown; } } } });
    const answer = send(shop, "GET", "/api/products");
    assertProblem(answer, 500, "internal");
    assert.doesNotMatch(answer.body, /secret/);
    assert.equal(send(shop, "GET", "/").status, 500);
  }
});

test("addresses and methods that are not there", () => {
  const shop = fakeShop();
  for (const target of ["/api", "/api/", "/api/nothing", "/api/products/", "/api/products/a/b", "/api/orders/"]) {
    assertProblem(send(shop, "GET", target), 404, "not-found");
  }
  assertProblem(send(shop, "GET", "/api/products/%ff"), 400, "bad-request");
  const answer = send(shop, "DELETE", "/api/products");
  assertProblem(answer, 405, "method-not-allowed");
  assert.equal(answer.header("allow"), "GET, HEAD");
  assert.equal(send(shop, "GET", "/api/quotes").header("allow"), "POST");
  for (const method of ["PATTERN", "PATH", "constructor", "__proto__"]) assertProblem(send(shop, method, "/api/products"), 405, "method-not-allowed");
});

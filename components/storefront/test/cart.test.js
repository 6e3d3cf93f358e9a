// The cart's cookie: what it keeps, and what it is not fooled by.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cartCookie, cartFromCookies, emptyCart, fits, formatCart, parseCart, parseQuantity, quantityOf, withQuantity,
} from "../src/cart.js";
import { generator } from "../testing/generator.js";

test("what was written is read again", () => {
  const random = generator(3);
  for (let round = 0; round < 500; round += 1) {
    let cart = { tier: ["standard", "silver", "gold"][random(3)], lines: [] };
    for (let line = random(100); line > 0; line -= 1) cart = withQuantity(cart, `SKU-${random(1000)}`, 1 + random(1_000_000));
    const cookie = cartCookie(cart);
    assert.deepEqual(cartFromCookies(`other=1; ${cookie.split(";")[0]}; last=2`), cart);
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Lax$/);
  }
});

test("a cookie that was changed is an empty cart and no error", () => {
  const bad = [
    "", "1", "2|gold", "1|platinum", "1|gold|", "1|gold|A", "1|gold|A:0", "1|gold|A:-1", "1|gold|A:1.5", "1|gold|A:01",
    "1|gold|A:1000001", "1|gold|A:99999999999999999999", "1|gold|A:1|A:2", "1|gold|A B:1", "1|gold|<script>:1", "1|gold|:1",
    `1|gold|${"A".repeat(65)}:1`, `1|gold|${Array.from({ length: 101 }, (_, n) => `S${n}:1`).join("|")}`, `1|gold|${"A".repeat(5000)}`,
    "1|constructor", "1|gold|A:1e3", "1|gold|A:١",
  ];
  for (const text of bad) {
    assert.equal(parseCart(text), null, text);
    assert.deepEqual(cartFromCookies(`cart=${text}`), emptyCart(), text);
  }
  for (const header of [undefined, "", ";;;", "cart", "=;cart", "carts=1|gold|A:1"]) assert.deepEqual(cartFromCookies(header), emptyCart());
});

test("any noise in the header is survived", () => {
  const random = generator(5);
  for (let round = 0; round < 2000; round += 1) {
    const noise = Array.from({ length: random(40) }, () => "cart=1|gold:;AB09 ,\u0000é"[random(24)] ?? "").join("");
    const cart = cartFromCookies(`cart=1|${noise}`);
    assert.ok(fits(cart));
    if (cart.lines.length > 0) assert.deepEqual(parseCart(formatCart(cart)), cart);
  }
});

test("changing a quantity keeps the line's place; none takes it out", () => {
  const cart = { tier: "silver", lines: [{ sku: "A", quantity: 1 }, { sku: "B", quantity: 2 }] };
  assert.deepEqual(withQuantity(cart, "A", 5).lines.map(({ sku }) => sku), ["A", "B"]);
  assert.equal(quantityOf(withQuantity(cart, "A", 5), "A"), 5);
  assert.deepEqual(withQuantity(cart, "A", 0).lines, [{ sku: "B", quantity: 2 }]);
  assert.deepEqual(withQuantity(cart, "C", 0), cart);
  assert.match(cartCookie(emptyCart()), /^cart=; Max-Age=0;/);
});

test("a full cart does not fit", () => {
  const lines = (count, length) => Array.from({ length: count }, (_, n) => ({ sku: String(n).padStart(length, "0"), quantity: 1 }));
  assert.ok(fits({ tier: "gold", lines: lines(100, 10) }));
  assert.ok(!fits({ tier: "gold", lines: lines(101, 10) }));
  assert.ok(!fits({ tier: "gold", lines: lines(90, 64) }));
});

test("a quantity is digits from 1 to a million", () => {
  assert.equal(parseQuantity("1000000"), 1_000_000);
  for (const text of ["", "0", "-1", "1.0", "1e2", " 1", "1000001", "9999999999", undefined]) assert.equal(parseQuantity(text), null);
});

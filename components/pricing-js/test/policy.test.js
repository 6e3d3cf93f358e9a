/** The table of cases that every pricing component is tested with, against this one's logic. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { price } from "../src/policy.js";

const table = new URL("../../../tests/pricing/cases.json", import.meta.url);

/** What the logic answers, in the words of the table: money in digits, `null` for the whole cart. */
function inWordsOfTheTable({ ok, err }) {
  if (err) {
    const { tag: kind, val } = err;
    return { err: val === undefined ? { kind } : { kind, value: String(val) } };
  }
  return {
    ok: ok.map(({ line, reason, amount }) => ({ line: line ?? null, reason, amount: String(amount) })),
  };
}

for (const { name, tier, lines, ...answer } of JSON.parse(readFileSync(table, "utf8")).cases) {
  test(name, () => {
    const cart = lines.map((line) => ({ ...line, unitPrice: BigInt(line["unit-price"]) }));
    assert.deepEqual(inWordsOfTheTable(price(cart, tier)), answer);
  });
}

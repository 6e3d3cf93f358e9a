// Money, times, escaping, paths and forms, JSON.
import assert from "node:assert/strict";
import { test } from "node:test";

import { parseFields, splitTarget } from "../src/address.js";
import { escape, html } from "../src/html.js";
import { MAX_DEPTH, decodeJson, encodeJson } from "../src/json.js";
import { euros, grouped, parseU64 } from "../src/money.js";
import { isoTime, longTime } from "../src/time.js";
import { generator } from "../testing/generator.js";

const status = (wanted) => (error) => error.status === wanted;

test("euros are exact far beyond 2^53", () => {
  assert.equal(euros(0n), "€0.00");
  assert.equal(euros(5n), "€0.05");
  assert.equal(euros(123456789n), "€1,234,567.89");
  assert.equal(euros(-30n), "\u2212€0.30");
  assert.equal(euros(9223372036854775807n), "€92,233,720,368,547,758.07");
  assert.equal(grouped(1000000), "1,000,000");
});

test("a price in a form is digits and nothing else", () => {
  assert.equal(parseU64("0"), 0n);
  assert.equal(parseU64("18446744073709551615"), 2n ** 64n - 1n);
  for (const text of ["", "-1", "+1", " 1", "1 ", "01", "1.0", "1e3", "0x1", "18446744073709551616", "١", 5, null, undefined, ["1"]]) {
    assert.equal(parseU64(text), null, String(text));
  }
});

test("times agree with Date wherever Date goes", () => {
  const random = generator(7);
  for (let round = 0; round < 2000; round += 1) {
    const millis = random(8_640_000_000_000_000);
    assert.equal(isoTime(BigInt(millis)), new Date(millis).toISOString());
  }
  assert.equal(isoTime(951_782_400_000n), "2000-02-29T00:00:00.000Z");
  assert.equal(longTime(951_868_799_999n), "29 February 2000, 23:59 UTC");
  assert.match(isoTime(2n ** 64n - 1n), /^\+584556019-\d\d-\d\dT\d\d:\d\d:51\.615Z$/);
});

test("no text gets out of the place it is put into", () => {
  const random = generator(11);
  const alphabet = ["<", ">", "&", '"', "'", "`", "=", "/", "\\", "\u0000", "\n", "\u202e", "ä", "😀", "script", "&amp;", "</", "-->", "$", "{", "x"];
  for (let round = 0; round < 2000; round += 1) {
    const text = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join("");
    const safe = html`<p title="${text}">${text}</p>`.toString();
    const [, attribute, content] = /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(safe);
    for (const part of [attribute, content]) {
      assert.doesNotMatch(part, /[<>"'\u0000]|&(?!(amp|lt|gt|quot|#39);)/);
      const back = part.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]);
      assert.equal(back, text.replaceAll("\u0000", "\ufffd"));
    }
  }
});

test("only templates are markup", () => {
  assert.equal(html`${html`<b>${"<i>"}</b>`}`.toString(), "<b>&lt;i&gt;</b>");
  assert.equal(html`${[html`<i></i>`, "<", null, undefined, false, 0, 7n]}`.toString(), "<i></i>&lt;07");
  assert.equal(html`${{ toString: () => "<script>" }}`.toString(), "&lt;script&gt;");
  assert.equal(escape("a\tb\nc\u001b"), "a\tb\nc\ufffd");
});

test("a path is split first and decoded then, strictly", () => {
  assert.deepEqual(splitTarget("/products/a%2Fb?x=1?2"), { segments: ["products", "a/b"], query: "x=1?2" });
  assert.deepEqual(splitTarget("/"), { segments: [""], query: "" });
  for (const target of ["/%", "/%zz", "/%ff", "/%c0%af", "/a%2"]) assert.throws(() => splitTarget(target), status(400), target);
});

test("fields are decoded strictly and come once", () => {
  assert.deepEqual([...parseFields("q=a+b%26c&empty=&bare&&z=%C3%A4", "query")], [["q", "a b&c"], ["empty", ""], ["bare", ""], ["z", "ä"]]);
  for (const text of ["a=1&a=2", "a=%f", "%ff=1", "a=%E4"]) assert.throws(() => parseFields(text, "form"), status(400), text);
});

test("JSON that is none, too deep or not UTF-8 is a wrong request", () => {
  const bytes = (text) => new TextEncoder().encode(text);
  assert.deepEqual(decodeJson(bytes('{"a":["[[[[\\"",1]}')), { a: ['[[[["', 1] });
  const nested = (depth) => bytes("[".repeat(depth) + "]".repeat(depth));
  assert.doesNotThrow(() => decodeJson(nested(MAX_DEPTH)));
  for (const body of [nested(MAX_DEPTH + 1), bytes("[".repeat(60_000)), bytes('{"a":'.repeat(10_000)), bytes(""), bytes("{"), bytes("NaN"), bytes("\ufeff{}"), Uint8Array.of(0xff, 0xfe), Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)]) {
    assert.throws(() => decodeJson(body), status(400));
  }
});

test("money leaves as digits", () => {
  assert.equal(encodeJson({ total: 9007199254740993n, rebate: -1n, count: 2 }), '{"total":"9007199254740993","rebate":"-1","count":2}');
});

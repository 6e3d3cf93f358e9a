/**
 * The answers of the shop as plain values: `{ status, headers, body }`, headers as pairs, body as text.
 */

import { encodeJson } from "./json.js";

/**
 * No script at all, nothing from elsewhere, no framing. Pages that somehow got foreign markup into them
 * would still neither run nor load anything.
 */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Sent with everything. `same-origin` and not `no-referrer`: the latter makes browsers send `Origin: null` with forms. */
const COMMON = [
  ["content-security-policy", POLICY],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "same-origin"],
];

function answer(status, type, body, headers) {
  return { status, headers: [["content-type", type], ...COMMON, ...headers], body };
}

/** A page. It shows the visitor's cart, so no shared cache may keep it. */
export function page(status, markup, headers = []) {
  return answer(status, "text/html; charset=utf-8", markup.toString(), [["cache-control", "no-store"], ...headers]);
}

/** A style sheet or drawing, whose address changes with its content. */
export function asset(type, body) {
  return answer(200, type, body, [["cache-control", "public, max-age=86400"]]);
}

/** A JSON document. */
export function json(status, value, headers = []) {
  return answer(status, "application/json", encodeJson(value), [["cache-control", "no-store"], ...headers]);
}

/** A problem document (RFC 9457). */
export function problem(refusal) {
  const { status, kind, title, detail, members } = refusal;
  const body = encodeJson({ type: `urn:interlock:problem:${kind}`, title, status, detail, ...members });
  return answer(status, "application/problem+json", body, [["cache-control", "no-store"], ...refusal.headers]);
}

/** Sends the browser on with a GET, after a form was accepted. */
export function seeOther(location, headers = []) {
  return answer(303, "text/plain; charset=utf-8", "", [["location", location], ["cache-control", "no-store"], ...headers]);
}

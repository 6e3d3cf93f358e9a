/**
 * JSON in and out.
 *
 * In: bytes must be UTF-8 and are looked through for depth before the engine's recursive parser sees them,
 * so a bomb of brackets is a wrong request and no overflow. Out: a BigInt is a string of digits.
 */

import { badRequest } from "./refusal.js";

/** How deeply arrays and objects may be nested. The shop's own documents need three levels. */
export const MAX_DEPTH = 32;

/** Text from bytes that claim to be UTF-8. */
export function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badRequest("The body is not valid UTF-8.");
  }
}

function checkDepth(text) {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === "[" || character === "{") {
      depth += 1;
      if (depth > MAX_DEPTH) throw badRequest(`The JSON is nested more than ${MAX_DEPTH} levels deep.`);
    } else if (character === "]" || character === "}") {
      depth -= 1;
    }
  }
}

/** The value in a JSON document. */
export function decodeJson(bytes) {
  if (bytes.length === 0) throw badRequest("The body is empty: a JSON object is needed.");
  const text = utf8(bytes);
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    // Engines put the place into the message, each in its way; their other words are of no use to a client.
    const place = /line (\d+) column (\d+)/.exec(error.message);
    throw badRequest(`The body is not JSON${place ? `: see line ${place[1]}, column ${place[2]}` : ""}.`);
  }
}

/** A value as JSON text. */
export function encodeJson(value) {
  return JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item));
}

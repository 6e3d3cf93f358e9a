/**
 * Paths, queries and forms, decoded strictly: a broken escape or bytes that are no UTF-8 are a wrong
 * request and not a guess.
 */

import { badRequest } from "./refusal.js";

function decode(text, what) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(`The ${what} has a broken percent-escape.`);
  }
}

/** The path's segments and the query's text. The path is split before it is decoded: `%2F` separates nothing. */
export function splitTarget(target) {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  const segments = path.split("/").slice(1).map((segment) => decode(segment, "path"));
  return { segments, query };
}

/** The fields of a query or of an urlencoded form, as a Map. A field that comes twice is refused. */
export function parseFields(text, what) {
  const fields = new Map();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = decode((mark < 0 ? pair : pair.slice(0, mark)).replaceAll("+", " "), what);
    const value = mark < 0 ? "" : decode(pair.slice(mark + 1).replaceAll("+", " "), what);
    if (fields.has(name)) throw badRequest(`The ${what} has the field "${name}" twice.`);
    fields.set(name, value);
  }
  return fields;
}

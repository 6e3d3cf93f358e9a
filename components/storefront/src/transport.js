/**
 * Between `wasi:http` and plain values.
 *
 * The classes of `wasi:http/types` are passed in, so that this module loads outside a component too. Every
 * resource is disposed of here, children before their parents as the contract demands. A client may hang
 * up at any moment: reading then ends in a refusal, and writing is given up without a word, since there is
 * nobody left to tell.
 */

import { Refusal, badRequest } from "./refusal.js";

/** The longest request body that is read. */
export const MAX_BODY = 64 * 1024;

/** `blocking-write-and-flush` takes no more at once. */
const CHUNK = 4096;

const dispose = (resource) => resource?.[Symbol.dispose]?.();

/** The error of a stream may carry a resource, which is ours to dispose of. */
function streamError(error) {
  const payload = error?.payload;
  if (payload?.tag === "last-operation-failed") dispose(payload.val);
  return payload?.tag;
}

const tooLarge = () =>
  new Refusal(413, "too-large-body", "The body is too large", `A request body may have ${MAX_BODY} bytes.`);

/** Reads a stream to its end, but never more than one byte beyond the limit. */
function readAll(stream) {
  const bytes = new Uint8Array(MAX_BODY + 1);
  let length = 0;
  while (length <= MAX_BODY) {
    let chunk;
    try {
      chunk = stream.blockingRead(BigInt(bytes.length - length));
    } catch (error) {
      if (streamError(error) === "closed") return bytes.subarray(0, length);
      throw badRequest("The body ended before it was complete.");
    }
    bytes.set(chunk, length);
    length += chunk.length;
  }
  throw tooLarge();
}

function readBody(incoming, declared) {
  if (declared !== undefined && /^[0-9]+$/.test(declared) && BigInt(declared) > BigInt(MAX_BODY)) throw tooLarge();
  const body = incoming.consume();
  try {
    const stream = body.stream();
    try {
      return readAll(stream);
    } finally {
      dispose(stream);
    }
  } finally {
    dispose(body);
  }
}

/** The request as a plain value. Its body is read when it is asked for, once. */
export function readRequest(incoming) {
  const decoder = new TextDecoder("latin1");
  const values = new Map();
  const fields = incoming.headers();
  try {
    for (const [name, value] of fields.entries()) {
      const key = name.toLowerCase();
      const text = decoder.decode(value);
      const separator = key === "cookie" ? "; " : ", ";
      values.set(key, values.has(key) ? values.get(key) + separator + text : text);
    }
  } finally {
    dispose(fields);
  }
  const method = incoming.method();
  const header = (name) => values.get(name);
  return {
    method: method.tag === "other" ? method.val : method.tag.toUpperCase(),
    target: incoming.pathWithQuery() ?? "/",
    authority: incoming.authority() ?? header("host"),
    header,
    body: () => readBody(incoming, header("content-length")),
  };
}

/** Writes the bytes, and says whether they all got through. */
function writeAll(stream, bytes) {
  try {
    for (let start = 0; start < bytes.length; start += CHUNK) {
      stream.blockingWriteAndFlush(bytes.subarray(start, start + CHUNK));
    }
    return true;
  } catch (error) {
    streamError(error);
    return false;
  }
}

/** Sends an answer. `types` is `wasi:http/types`; `withBody` is false for HEAD. */
export function sendAnswer(types, out, { status, headers, body }, withBody) {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(body);
  const pairs = headers.map(([name, value]) => [name, encoder.encode(value)]);
  // Without a body the length would be a promise that is then broken.
  if (withBody) pairs.push(["content-length", encoder.encode(String(bytes.length))]);
  const response = new types.OutgoingResponse(types.Fields.fromList(pairs));
  response.setStatusCode(status);
  const outgoing = response.body();
  types.ResponseOutparam.set(out, { tag: "ok", val: response });

  const stream = outgoing.write();
  const complete = !withBody || writeAll(stream, bytes);
  dispose(stream);
  if (!complete) {
    dispose(outgoing);
    return;
  }
  try {
    types.OutgoingBody.finish(outgoing, undefined);
  } catch {
    // The client left between the last byte and the end.
  }
}

/** A request's life: read, answered, sent, disposed of. `respond` must not throw. */
export function serve(types, incoming, out, respond) {
  try {
    const request = readRequest(incoming);
    sendAnswer(types, out, respond(request), request.method !== "HEAD");
  } finally {
    dispose(incoming);
  }
}

// wasi:http as far as the transport sees it: resources that know their parents and insist on their order.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_BODY, serve } from "../src/transport.js";

/** Resources that are alive. A parent that dies before its child is what a host answers with a trap. */
class World {
  alive = new Set();

  resource(name, methods = {}, parent = undefined) {
    const made = {
      name,
      parent,
      ...methods,
      [Symbol.dispose]: () => this.drop(made),
    };
    this.alive.add(made);
    return made;
  }

  drop(resource) {
    assert.ok(this.alive.delete(resource), `${resource.name} is dropped twice`);
    for (const other of this.alive) assert.notEqual(other.parent, resource, `${resource.name} is dropped before its ${other.name}`);
  }
}

const closed = () => {
  throw Object.assign(new Error("closed"), { payload: { tag: "closed" } });
};

/** A request whose body comes in the given chunks; `broken` ends it with an error. */
function request(world, { method = { tag: "post" }, headers = [], chunks = [], broken = false } = {}) {
  const asked = [];
  const incoming = world.resource("request", {
    method: () => method,
    pathWithQuery: () => "/x",
    authority: () => "shop.example",
    headers: () => world.resource("headers", { entries: () => headers.map(([name, value]) => [name, new TextEncoder().encode(value)]) }, incoming),
    consume: () => {
      const body = world.resource("body", {
        stream: () => world.resource("stream", {
          blockingRead: (length) => {
            asked.push(length);
            if (chunks.length > 0) {
              const chunk = chunks[0].subarray(0, Number(length));
              chunks[0] = chunks[0].subarray(chunk.length);
              if (chunks[0].length === 0) chunks.shift();
              return chunk;
            }
            if (!broken) return closed();
            throw Object.assign(new Error("io"), { payload: { tag: "last-operation-failed", val: world.resource("error") } });
          },
        }, body),
      }, incoming);
      return body;
    },
  });
  return { incoming, asked };
}

/** The other side: collects the answer; a client that hangs up takes `patience` bytes. */
function types(world, patience = Infinity) {
  const sent = { bytes: [], finished: false };
  return {
    sent,
    Fields: { fromList: (pairs) => ({ pairs }) },
    OutgoingResponse: class {
      constructor({ pairs }) {
        sent.headers = new Map(pairs.map(([name, value]) => [name, new TextDecoder().decode(value)]));
      }

      setStatusCode(status) {
        sent.status = status;
      }

      body() {
        const body = world.resource("outgoing body", {
          write: () => world.resource("output stream", {
            blockingWriteAndFlush: (chunk) => {
              assert.ok(chunk.length <= 4096);
              if (sent.bytes.length + chunk.length > patience) {
                throw Object.assign(new Error("gone"), { payload: { tag: "last-operation-failed", val: world.resource("error") } });
              }
              sent.bytes.push(...chunk);
            },
          }, body),
        });
        return body;
      }
    },
    ResponseOutparam: { set: (_, { tag }) => assert.equal(tag, "ok") },
    OutgoingBody: {
      finish: (body) => {
        world.drop(body);
        sent.finished = true;
        if (sent.headers.has("content-length")) assert.equal(Number(sent.headers.get("content-length")), sent.bytes.length);
      },
    },
  };
}

/** Serves one request with a handler that reads the body and answers with `text`. */
function exchange({ patience, text = "answer", ...given } = {}) {
  const world = new World();
  const { incoming, asked } = request(world, given);
  const host = types(world, patience);
  let seen;
  serve(host, incoming, {}, (made) => {
    try {
      seen = made.method === "POST" ? made.body() : made;
    } catch (error) {
      seen = error;
    }
    return { status: 200, headers: [["content-type", "text/plain"]], body: text };
  });
  assert.equal(world.alive.size, 0, "nothing is left behind");
  return { seen, asked, sent: host.sent };
}

test("a body in many small pieces arrives whole", () => {
  const chunks = Array.from({ length: 500 }, (_, n) => Uint8Array.of(n % 256));
  const { seen, sent } = exchange({ chunks });
  assert.equal(seen.length, 500);
  assert.equal(seen[499], 243);
  assert.ok(sent.finished);
});

test("a body of the limit is read, one byte more is refused and no more is asked for", () => {
  assert.equal(exchange({ chunks: [new Uint8Array(MAX_BODY)] }).seen.length, MAX_BODY);
  const { seen, asked } = exchange({ chunks: [new Uint8Array(10 * MAX_BODY)] });
  assert.equal(seen.status, 413);
  assert.deepEqual(asked, [BigInt(MAX_BODY + 1)]);
  const declared = exchange({ headers: [["Content-Length", "99999999999999999999"]], chunks: [new Uint8Array(1)] });
  assert.equal(declared.seen.status, 413);
  assert.deepEqual(declared.asked, []);
});

test("a body that breaks off is a wrong request", () => {
  assert.equal(exchange({ chunks: [new Uint8Array(5)], broken: true }).seen.status, 400);
});

test("headers are found in any case, and joined", () => {
  const { seen } = exchange({ method: { tag: "get" }, headers: [["Cookie", "a=1"], ["cookie", "b=2"], ["X-Twice", "1"], ["x-twice", "2"]] });
  assert.equal(seen.header("cookie"), "a=1; b=2");
  assert.equal(seen.header("x-twice"), "1, 2");
  assert.equal(seen.header("none"), undefined);
});

test("a long answer goes out in pieces, whole", () => {
  const text = "äöü€".repeat(5000);
  const { sent } = exchange({ method: { tag: "get" }, text });
  assert.equal(new TextDecoder().decode(Uint8Array.from(sent.bytes)), text);
});

test("HEAD gets the headers and no body", () => {
  const { sent } = exchange({ method: { tag: "head" }, text: "x".repeat(9000) });
  assert.equal(sent.bytes.length, 0);
  assert.ok(sent.finished);
});

test("a method of one's own is passed on", () => {
  assert.equal(exchange({ method: { tag: "other", val: "brew" } }).seen.method, "brew");
});

test("a client may hang up at any byte", () => {
  for (const patience of [0, 1, 4095, 4096, 8192, 19_999]) {
    const { sent } = exchange({ method: { tag: "get" }, text: "x".repeat(20_000), patience });
    assert.equal(sent.finished, false);
  }
});

/**
 * The storefront component: HTML pages for people and JSON for programs, over `wasi:http`.
 *
 * This file only ties the imports of the world `shop:worlds/storefront` to the logic beside it, which is plain
 * JavaScript and is tested without a component. Nothing is kept between two requests, in whichever instance.
 *
 * From outside in: `transport` (wasi:http) → `routes` → `api` and `pages/*` → `shop` and the imports, with
 * `refusal` for all that can go wrong on the way back.
 */

import * as types from "wasi:http/types@0.2.12";
import { getRandomBytes } from "wasi:random/random@0.2.12";
import * as catalog from "shop:orders/catalog@0.1.0";
import * as checkout from "shop:orders/checkout@0.1.0";

import { answer } from "./routes.js";
import { serve } from "./transport.js";

/**
 * An idempotency key for a checkout form: 128 random bits in hexadecimal. The bytes are asked for at each
 * request: whatever is computed while the component is built would be the same in every instance.
 */
function newKey() {
  return Array.from(getRandomBytes(16n), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const shop = { catalog, checkout, newKey };

/** The world's export `wasi:http/incoming-handler`. */
export const incomingHandler = {
  handle(incoming, out) {
    serve(types, incoming, out, (request) => answer(request, shop));
  },
};

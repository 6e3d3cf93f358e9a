/**
 * Which handler answers which request.
 *
 * A handler takes the request, the shop and the decoded variable parts of the path, and returns an answer
 * or throws. Paths under `/api/` are for programs and get problem documents, all others are for people and
 * get pages.
 */

import * as answers from "./answers.js";
import * as api from "./api.js";
import { parseFields, splitTarget } from "./address.js";
import { cartFromCookies } from "./cart.js";
import { Refusal, asRefusal, notFound } from "./refusal.js";
import * as cart from "./pages/cart.js";
import * as catalogue from "./pages/catalogue.js";
import * as receipt from "./pages/receipt.js";
import { errorPage } from "./pages/error.js";
import { STYLE, STYLE_PATH } from "./pages/style.js";
import { ICON } from "./pages/pictures.js";

/** `*` stands for one segment that is not empty. */
const ROUTES = [
  { path: "", on: { GET: catalogue.home } },
  { path: STYLE_PATH.slice(1), on: { GET: () => answers.asset("text/css; charset=utf-8", STYLE) } },
  { path: "favicon.svg", on: { GET: () => answers.asset("image/svg+xml", ICON) } },
  { path: "products/*", on: { GET: catalogue.product } },
  { path: "cart", on: { GET: cart.show, POST: cart.change } },
  { path: "checkout", on: { POST: cart.checkout } },
  { path: "orders/*", on: { GET: receipt.show } },
  { path: "api/products", on: { GET: api.listProducts } },
  { path: "api/products/*", on: { GET: api.getProduct } },
  { path: "api/quotes", on: { POST: api.quote } },
  { path: "api/orders", on: { POST: api.placeOrder } },
  { path: "api/orders/*", on: { GET: api.getOrder } },
].map((route) => ({ ...route, pattern: route.path.split("/") }));

function match(pattern, segments) {
  if (pattern.length !== segments.length) return undefined;
  const variables = [];
  for (let index = 0; index < pattern.length; index += 1) {
    if (pattern[index] === "*" && segments[index] !== "") variables.push(segments[index]);
    else if (pattern[index] !== segments[index]) return undefined;
  }
  return variables;
}

/** The route and the path's variables. */
function find(segments) {
  for (const route of ROUTES) {
    const variables = match(route.pattern, segments);
    if (variables) return { route, variables };
  }
  throw notFound("There is nothing at this address.");
}

function dispatch(request, shop) {
  const { segments, query } = splitTarget(request.target);
  const { route, variables } = find(segments);
  // A HEAD request is computed as GET; whoever sends the answer leaves the body out.
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (!Object.hasOwn(route.on, method)) {
    const allowed = Object.keys(route.on).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name])).join(", ");
    throw new Refusal(405, "method-not-allowed", "Method not allowed", `This address answers ${allowed} only.`, {
      headers: [["allow", allowed]],
    });
  }
  return route.on[method]({ ...request, fields: parseFields(query, "query") }, shop, variables);
}

/**
 * Answers a request, whatever happens.
 *
 * `request` is `{ method, target, authority, header(name), body() }`: `header` gives a value or
 * `undefined`, values that came more than once joined by ", " as HTTP has it; `body` reads the bytes.
 */
export function answer(request, shop) {
  try {
    return dispatch(request, shop);
  } catch (error) {
    const refusal = asRefusal(error);
    if (request.target.startsWith("/api/") || request.target === "/api") return answers.problem(refusal);
    return errorPage(refusal, cartFromCookies(request.header("cookie")));
  }
}

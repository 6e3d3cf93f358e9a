/**
 * Between the contract and the rule: `shop:pricing/policy` as a component in JavaScript.
 *
 * An error result is thrown, and has to be the bare variant: anything derived from `Error` would be a
 * trap instead of an answer.
 */

import { price } from "./policy.js";

export const policy = {
  adjust(lines, tier) {
    const { ok, err } = price(lines, tier);
    if (err) throw err;
    return ok;
  },
};

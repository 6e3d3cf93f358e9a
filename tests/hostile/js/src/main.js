/**
 * A pricing rule that means harm, in JavaScript: a fixture for tests of the host. The engine inside has a heap and a
 * stack of its own, and catches much before the host would.
 *
 * The first line's SKU chooses how; any other is priced honestly, without adjustments.
 */

const deeper = (depth) => deeper(depth + 1) + 1;

const ways = {
  LOOP() {
    for (;;);
  },
  RECURSE: () => deeper(0),
  GROW() {
    const taken = [];
    for (;;) taken.push(new Uint8Array(1 << 20).fill(1));
  },
  THROW() {
    throw new Error("on purpose");
  },
  // A regular expression that tries everything before it gives up.
  BACKTRACK: () => /^(a|a)*$/.test("a".repeat(64) + "b"),
};

export const policy = {
  adjust(lines) {
    ways[lines[0]?.sku]?.();
    return [];
  },
};

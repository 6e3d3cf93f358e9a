/** Numbers that look random and are the same in each run: `generator(seed)(limit)` is 0 to limit - 1. */
export function generator(seed) {
  let state = BigInt(seed) * 2862933555777941757n + 3037000493n;
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 11n) % BigInt(limit));
  };
}

/** A source of numbers in [0, 1). The real one is `Math.random`; tests and simulations take a seeded one. */
export type Random = () => number;

/**
 * A seeded generator: the same seed gives the same numbers, on every machine.
 *
 * @param seed any 32-bit number
 * @returns mulberry32 (Tommy Ettinger, public domain): 32 bits of state, period 2³²
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

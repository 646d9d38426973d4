/** The numbers of transforms and packings (integer.ts). */
export const FRAME = 0;
export const DELTA = 1;
export const DELTA_OF_DELTA = 2;
export const HALVES = 3;
export const RUNS = 4;

export const BITS = 0;
export const RANS = 1;
/** Bits of the residuals that rANS takes. */
export const RANS_WIDTH = 32;

/**
 * How a sequence of residuals is best packed (integer.ts), by counts of their lengths and of their tokens: nothing is
 * packed to find out.
 */
import * as bitPacking from "./bit_packing.ts";
import type { Effort } from "./effort.ts";
import { BITS, RANS, RANS_WIDTH } from "./integer_format.ts";
import * as rans from "./rans.ts";

/** Fewer values never pay for the tables of rANS. */
const RANS_VALUES = 32;
const MAX_BITS = 54;
/** About what an exception takes beside its value. */
const EXCEPTION_PLACE_BYTES = 1.5;
const TWO_32 = 4294967296;

export interface Plan {
  readonly transform: number;
  readonly packing: number;
  readonly width: number;
  /** For rANS. */
  readonly mantissaBits: number;
  readonly costBytes: number;
}

export function smaller(a: Plan, b: Plan): Plan {
  return b.costBytes < a.costBytes ? b : a;
}

const LENGTH_COUNTS = new Int32Array(MAX_BITS + 1);
/** By finest token; those below 256 are the residuals themselves. */
const TOKEN_COUNTS = new Int32Array(rans.TOKENS);

/** The cheapest packing of residuals and about what it costs. */
export function plan(residuals: Float64Array, count: number, transform: number, effort: Effort): Plan {
  LENGTH_COUNTS.fill(0);
  const isCoded = effort === "small" && count >= RANS_VALUES;
  if (isCoded) countTokens(residuals, count);
  else for (let i = 0; i < count; i++) LENGTH_COUNTS[bitPacking.bitLength(residuals[i]!)]!++;
  return cheapestPlan(count, transform, isCoded);
}

/** As `plan`, of residuals that `countLengths` has counted, or their tokens. @param isCoded whether tokens were */
function cheapestPlan(count: number, transform: number, isCoded: boolean): Plan {
  let best: Plan = { transform, packing: BITS, width: MAX_BITS, mantissaBits: 0, costBytes: Infinity };
  let exceptionBytes = 0;
  for (let width = MAX_BITS; width >= 0; width--) {
    const costBytes = bitPacking.packedBytes(count, width) + exceptionBytes;
    if (costBytes < best.costBytes) best = { transform, packing: BITS, width, mantissaBits: 0, costBytes };
    if (width === RANS_WIDTH && isCoded) {
      const { mantissaBits, costBytes } = rans.bestPlan(TOKEN_COUNTS, count);
      best = smaller(best, {
        transform,
        packing: RANS,
        width,
        mantissaBits,
        costBytes: costBytes + exceptionBytes,
      });
    }
    exceptionBytes += LENGTH_COUNTS[width]! * (EXCEPTION_PLACE_BYTES + Math.ceil(width / 7));
  }
  return best;
}

/** Counts residuals by length, and by finest token where they have one. */
function countTokens(residuals: Float64Array, count: number): void {
  TOKEN_COUNTS.fill(0);
  for (let i = 0; i < count; i++) {
    const residual = residuals[i]!;
    if (residual < 256) {
      TOKEN_COUNTS[residual]!++;
    } else {
      LENGTH_COUNTS[bitPacking.bitLength(residual)]!++;
      if (residual < TWO_32) TOKEN_COUNTS[rans.finestToken(residual)]!++;
    }
  }
  for (let value = 0; value < 256; value++) {
    LENGTH_COUNTS[bitPacking.bitLength(value)]! += TOKEN_COUNTS[value]!;
  }
}

/** As `plan`, of words, in haste. */
export function planOfWords(residuals: Uint32Array, count: number, transform: number): Plan {
  LENGTH_COUNTS.fill(0);
  for (let i = 0; i < count; i++) LENGTH_COUNTS[32 - Math.clz32(residuals[i]!)]!++;
  return cheapestPlan(count, transform, false);
}

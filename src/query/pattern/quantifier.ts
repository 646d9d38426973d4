/** `* + ? {2} {2,} {2,3}`, with `?` or `+` behind. */
import { PatternError, type PatternReader } from "./reader.ts";

const LARGEST_COUNT = 65535;

export interface Quantifier {
  readonly min: number;
  readonly max: number;
  readonly suffix: string;
}

const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})([?+]?)/y;

/** Takes a quantifier, if one comes next. */
export function readQuantifier(reader: PatternReader): Quantifier | undefined {
  const match = reader.take(QUANTIFIER);
  if (match === null) return undefined;
  const [, sign, low, comma, high, suffix] = match;
  const min = sign === undefined ? Number(low) : sign === "+" ? 1 : 0;
  const max = sign === "?"
    ? 1
    : sign !== undefined || high === ""
    ? Infinity
    : comma === undefined
    ? min
    : Number(high);
  if (min > LARGEST_COUNT || (max > LARGEST_COUNT && max !== Infinity)) {
    throw new PatternError("number too big in {} quantifier");
  }
  if (max < min) throw new PatternError("numbers out of order in {} quantifier");
  return { min, max, suffix: suffix! };
}

/** Whether a quantifier comes next. */
export function isQuantifierNext(reader: PatternReader): boolean {
  return reader.find(QUANTIFIER) !== null;
}

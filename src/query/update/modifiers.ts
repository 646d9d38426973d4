/** The modifiers by name: one sorted table. `$rename` is not one operation but two, and is parsed beside it. */
import { parseAddToSet, parsePop, parsePull, parsePullAll } from "./array.ts";
import { parseBit, parseInc, parseMax, parseMin, parseMul } from "./arithmetic.ts";
import type { ParseOperation } from "./operation.ts";
import { parsePush } from "./push.ts";
import { parseCurrentDate, parseSet, parseSetOnInsert, parseUnset } from "./set.ts";

export const MODIFIERS: Readonly<Record<string, ParseOperation>> = {
  $addToSet: parseAddToSet,
  $bit: parseBit,
  $currentDate: parseCurrentDate,
  $inc: parseInc,
  $max: parseMax,
  $min: parseMin,
  $mul: parseMul,
  $pop: parsePop,
  $pull: parsePull,
  $pullAll: parsePullAll,
  $push: parsePush,
  $set: parseSet,
  $setOnInsert: parseSetOnInsert,
  $unset: parseUnset,
};

/** Those that make nothing, and yet want a path that could exist. */
export const STRICT_MODIFIERS: ReadonlySet<string> = new Set(["$pop", "$pull", "$pullAll"]);

export const RENAME = "$rename";

/** The names of all modifiers, sorted. */
export function modifierNames(): readonly string[] {
  return [...Object.keys(MODIFIERS), RENAME].sort();
}

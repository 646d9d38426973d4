/** `size` and `max` of a capped collection, as commands take them and `listCollections` shows them. */
import { CommandError } from "../base/mod.ts";
import { type Document, Int32, type Value } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";
import { withOptions } from "./collection_options.ts";
import { int64OrInt32 } from "./numbers.ts";

/** A size is a multiple of this many bytes. */
const SIZE_STEP = 256;
const MAX_SIZE = 2 ** 50;
const NO_MAX = 2 ** 31 - 1;

/** The options of a collection with those of a capped one; without a size they are not changed. */
export function withCapped(options: Document, size: Value, max: Value, name = "size"): Document {
  return withOptions(options, {
    capped: true,
    size: size === undefined ? options.get("size") : int64OrInt32(readSize(name, size)),
    max: max === undefined ? options.get("max") : Int32.of(readMax(max)),
  });
}

/** @param name how errors name the field @throws CommandError 51024 */
function readSize(name: string, value: Value): number {
  const size = Math.trunc(numberOf(value));
  if (size < 1) throw outOfRange(name, `>= 1, actual value '${size}'`);
  if (size > MAX_SIZE) throw outOfRange(name, `<= ${MAX_SIZE}, actual value '${size}'`);
  return Math.ceil(size / SIZE_STEP) * SIZE_STEP;
}

/** What is not above zero is no limit. @throws CommandError 51024 */
function readMax(value: Value): number {
  const max = Math.trunc(numberOf(value));
  if (max > NO_MAX) throw outOfRange("max", `< ${NO_MAX + 1}, actual value '${max}'`);
  return max > 0 ? max : NO_MAX;
}

function outOfRange(name: string, what: string): CommandError {
  return new CommandError(51024, `BSON field '${name}' value must be ${what}`);
}

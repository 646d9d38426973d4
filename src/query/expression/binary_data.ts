/** `$binarySize`, `$tsSecond`, `$tsIncrement`: what is inside of binary data and timestamps. */
import { CommandError } from "../../base/mod.ts";
import { Binary, Int32, isNullish, Timestamp } from "../../bson/mod.ts";
import { typeName } from "./message.ts";
import { type OperatorDefinition, unary } from "./operator.ts";
import { utf8Length } from "./string.ts";

const BINARY_SIZE = unary("$binarySize", (value) => {
  if (isNullish(value)) return null;
  if (typeof value === "string") return Int32.of(utf8Length(value));
  if (value instanceof Binary) return Int32.of(value.length());
  throw new CommandError(
    51276,
    `$binarySize requires a string or BinData argument, found: ${typeName(value)}`,
  );
});

function timestampPart(name: string, code: number, part: (value: Timestamp) => number): OperatorDefinition {
  return unary(name, (value) => {
    if (isNullish(value)) return null;
    if (value instanceof Timestamp) return BigInt(part(value));
    throw new CommandError(code, ` Argument to ${name} must be a timestamp, but is ${typeName(value)}`);
  });
}

export const BINARY_DATA: readonly OperatorDefinition[] = [
  BINARY_SIZE,
  timestampPart("$tsIncrement", 5687302, (value) => value.getLowBitsUnsigned()),
  timestampPart("$tsSecond", 5687301, (value) => value.getHighBitsUnsigned()),
];

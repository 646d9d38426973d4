/**
 * What a page says of itself in its first bytes (page.ts): the type of its values and how they are encoded, in words
 * that a person reads. Nothing is decoded.
 */
import { ValueType } from "../value_type.ts";

const TRANSFORMS = ["frame", "delta", "delta of delta", "halves"];
const PACKINGS = ["bits", "rANS"];
const DOUBLE_MODES = ["decimals", "byte planes", "ALP", "ALP-RD", "XOR", "runs"];
/** Where the integers of a double's mode start, behind the mode's byte. */
const INTEGERS_BEHIND: Readonly<Record<number, number>> = { 0: 1, 2: 2 };

const TYPE_NAMES = new Map<number, string>(Object.entries(ValueType).map(([name, type]) => [type, name]));

/** The codec of a sequence of integers, such as `delta of delta, rANS`. */
export function integerCodecName(content: Uint8Array, at = 0): string {
  const head = content[at] ?? 0;
  const transform = TRANSFORMS[head & 15] ?? `transform ${head & 15}`;
  if (transform === "halves") return transform;
  return `${transform}, ${PACKINGS[head >> 4] ?? `packing ${head >> 4}`}`;
}

/** The codec of a page, such as `Double: decimals, delta, bits`. */
export function codecName(content: Uint8Array): string {
  if (content[0] === 1) return `mixed types: ${integerCodecName(content, 1)}`;
  const type = content[1] ?? 0;
  const typeName = TYPE_NAMES.get(type) ?? `type ${type}`;
  const name = valueCodecName(type, content);
  return name === "" ? typeName : `${typeName}: ${name}`;
}

function valueCodecName(type: number, content: Uint8Array): string {
  const mode = content[2] ?? 0;
  switch (type) {
    case ValueType.Double: {
      const behind = INTEGERS_BEHIND[mode];
      const name = DOUBLE_MODES[mode] ?? `mode ${mode}`;
      return behind === undefined ? name : `${name}, ${integerCodecName(content, 3 + behind)}`;
    }
    case ValueType.Int64:
    case ValueType.Date:
    case ValueType.Timestamp:
      return mode === 0 ? integerCodecName(content, 3) : "halves";
    case ValueType.Int32:
    case ValueType.Boolean:
      return integerCodecName(content, 2);
    case ValueType.ObjectId:
      return `four parts, ${integerCodecName(content, 2)}`;
    case ValueType.Decimal128:
      return `four words, ${integerCodecName(content, 2)}`;
    case ValueType.Null:
    case ValueType.Undefined:
    case ValueType.MinKey:
    case ValueType.MaxKey:
      return "";
    default:
      return mode === 1 ? "dictionary" : "plain";
  }
}

/**
 * Case files are YAML whose scalars become exact BSON values:
 *
 *     1            int32 (int64 when it does not fit)
 *     1.0  1e3     double; also .nan  .inf  -.inf
 *     2024-01-01T00:00:00Z   date
 *     text  "text"  true  null
 *     {$numberLong: "1"}  {$numberDecimal: "0.1"}  {$oid: …}  {$regularExpression: {…}} …   as in Extended JSON
 *
 * Operators such as `$regex` or `$type` stay what they are; only Extended JSON's own type wrappers are taken as values.
 */
import { Double, EJSON, Int32, Long } from "bson";
import { CORE_SCHEMA, defineScalarTag, load, NOT_RESOLVED, timestampTag } from "js-yaml";

const WRAPPERS: ReadonlySet<string> = new Set([
  "$numberInt",
  "$numberLong",
  "$numberDouble",
  "$numberDecimal",
  "$oid",
  "$binary",
  "$uuid",
  "$regularExpression",
  "$timestamp",
  "$minKey",
  "$maxKey",
  "$undefined",
  "$symbol",
  "$code",
  "$dbPointer",
]);

const FIRST_CHARACTERS = [..."-+.0123456789"];
const INTEGER = /^[-+]?\d+$/;
const FLOAT = /^[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?$/;
const SPECIAL: Readonly<Record<string, number>> = {
  ".nan": NaN,
  ".inf": Infinity,
  "+.inf": Infinity,
  "-.inf": -Infinity,
};

const integerTag = defineScalarTag<Int32 | Long>("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: FIRST_CHARACTERS,
  identify: (value) => value instanceof Int32 || value instanceof Long,
  resolve: (source) => {
    if (!INTEGER.test(source)) return NOT_RESOLVED;
    const value = BigInt(source.replace(/^\+/, ""));
    return BigInt.asIntN(32, value) === value ? new Int32(Number(value)) : Long.fromBigInt(value);
  },
});

const floatTag = defineScalarTag<Double>("tag:yaml.org,2002:float", {
  implicit: true,
  implicitFirstChars: FIRST_CHARACTERS,
  identify: (value) => value instanceof Double,
  resolve: (source) => {
    if (FLOAT.test(source)) return new Double(Number(source));
    const special = SPECIAL[source];
    return special === undefined ? NOT_RESOLVED : new Double(special);
  },
});

const SCHEMA = CORE_SCHEMA.withTags(integerTag, floatTag, timestampTag);

/** Reads a case file's text. @throws YAMLException */
export function parseYamlBson(text: string): unknown {
  return unwrap(load(text, { schema: SCHEMA }));
}

function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (!isPlainObject(value)) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && WRAPPERS.has(keys[0] ?? "")) {
    return EJSON.deserialize(asPlainJson(value), { relaxed: false });
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item)]));
}

/** Inside a wrapper numbers are JSON's: `{$timestamp: {t: 1, i: 2}}`. */
function asPlainJson(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value, (_, item) => {
    return item instanceof Int32 || item instanceof Double ? item.valueOf() : item;
  }));
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

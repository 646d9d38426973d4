/** Definitions of indexes as a client gives them: checked with MongoDB's words, and completed as `listIndexes` shows them. */
import { CommandError, type ErrorCodeLike } from "../base/mod.ts";
import {
  aliasOfType,
  BuiltDocument,
  Document,
  DocumentBuilder,
  Int32,
  isNumber,
  typeOf,
  type Value,
} from "../bson/mod.ts";
import { shownDocument, type TimeseriesOptions } from "../cluster/mod.ts";
import { elementText, type Filter, parseFilter } from "../query/mod.ts";
import { numberOf } from "./arguments.ts";
import { isWildcardKey, wrongWithProjection, wrongWithWildcardKey } from "./wildcard_spec.ts";
import { indexTtl } from "./index_ttl.ts";

/** What a definition may have, and of which type it is. */
const OPTIONS: Readonly<Record<string, "bool" | "object" | "any">> = {
  background: "bool",
  clustered: "bool",
  collation: "object",
  expireAfterSeconds: "any",
  hidden: "bool",
  key: "any",
  name: "any",
  ns: "any",
  partialFilterExpression: "object",
  prepareUnique: "bool",
  sparse: "bool",
  storageEngine: "object",
  unique: "bool",
  wildcardProjection: "any",
  v: "any",
};
/** Of kinds of indexes that are not there. */
const OPTIONS_OF_OTHERS: ReadonlySet<string> = new Set([
  "2dsphereIndexVersion",
  "bits",
  "bucketSize",
  "default_language",
  "dropDups",
  "language_override",
  "max",
  "min",
  "textIndexVersion",
  "weights",
]);
const NOT_IMPLEMENTED = ["storageEngine"] as const;
const ID_OPTIONS: ReadonlySet<string> = new Set(["key", "name", "v", "ns", "collation"]);
/** Options that are not kept where they say no. */
const DROPPED_WHERE_FALSE: ReadonlySet<string> = new Set(["unique", "hidden", "prepareUnique"]);
const KINDS: ReadonlySet<string> = new Set(["text", "2dsphere", "2d", "hashed"]);
const REFERENCE_PARTS: ReadonlySet<string> = new Set(["$id", "$ref", "$db"]);
const VERSION = Int32.of(2);
const ID_NAME = "_id_";
const PLACES = "2dsphere";
const PLACE_VERSION = "2dsphereIndexVersion";
const SIMPLE_LOCALE = "simple";

/**
 * Checks a definition of an index of a plain collection.
 *
 * @param defaultCollation the collection's, which an index without one of its own has
 * @returns it as `listIndexes` shows it
 * @throws CommandError
 */
export function plainIndex(spec: Document, defaultCollation: Value): Document {
  const key = checkedSpec(spec);
  const kind = kindOf(key);
  if (kind === "wildcard") checkWildcard(spec);
  else if (kind !== undefined && kind !== "hashed" && kind !== PLACES) throw missingKind(kind, spec, key);
  const isId = kind === undefined && isIdPattern(key);
  if (kind === PLACES) checkPlaces(spec, key);
  refuseMissingOptions(spec, isId ? undefined : defaultCollation);
  if (isId) checkIdIndex(spec, key);
  else if (spec.get("name") === ID_NAME) throw reservedName(key);
  const seconds = indexTtl(spec, key);
  checkPartial(spec);
  return withTtl(kind === PLACES ? withPlaceVersion(completed(spec, key)) : completed(spec, key), seconds);
}

/** As `plainIndex`, of a time series. */
export function timeseriesIndex(spec: Document, timeseries: TimeseriesOptions): Document {
  const key = checkedSpec(spec);
  const kind = kindOf(key);
  if (isYes(spec.get("unique"))) throw notOnTimeseries("Unique indexes");
  if (spec.get("expireAfterSeconds") !== undefined) throw notOnTimeseries("TTL indexes");
  if (kind === "text") throw notOnTimeseries("Text indexes");
  checkKinds(key, timeseries);
  if (kind === "wildcard") checkSeriesWildcard(spec, key, timeseries);
  else if (kind !== undefined && kind !== "hashed" && kind !== PLACES) throw missingKind(kind, spec, key);
  if (kind === PLACES) checkPlaces(spec, key);
  const isMeasured = key.names().some((name) => {
    const field = firstPart(name);
    return field !== timeseries.timeField && field !== timeseries.metaField;
  });
  if (isYes(spec.get("sparse")) && isMeasured) {
    throw new CommandError(
      "InvalidOptions",
      "Sparse indexes are not supported on time-series measurements",
    );
  }
  refuseMissingOptions(spec, undefined);
  checkPartial(spec);
  const index = completed(spec, key);
  // MongoDB shows no version of an index of measurements.
  return kind === PLACES && !isMeasured ? withPlaceVersion(index) : index;
}

/** Only the metaField may have keys of every kind. */
function checkKinds(key: Document, { timeField, metaField }: TimeseriesOptions): void {
  for (const name of key.names()) {
    const direction = key.get(name);
    const field = firstPart(name);
    if (typeof direction !== "string" || field === metaField) continue;
    const isTime = field === timeField;
    if (!isTime && direction === PLACES) continue;
    const wrong = isTime
      ? "the time field must be ascending or descending (numbers only)"
      : "measurement fields must be ascending or descending (numbers only), or '2dsphere'";
    throw new CommandError(
      "CannotCreateIndex",
      `BadValue: Invalid index spec for time-series collection: ${shownDocument(key)}. ` +
        `Indexes on ${wrong}: ${elementText(name, direction)}`,
    );
  }
}

/** What is not in the metaField is held twice by MongoDB's buckets, so its wildcards are compound there. */
function checkSeriesWildcard(spec: Document, key: Document, { metaField }: TimeseriesOptions): void {
  const isOfMeta = key.names().every((name) => firstPart(name) === metaField);
  if (!isOfMeta) throw inSpec(spec, "CannotCreateIndex", "wildcard indexes do not allow compounding");
  checkWildcard(spec);
}

function firstPart(path: string): string {
  return path.split(".", 1)[0]!;
}

function notOnTimeseries(what: string): CommandError {
  return new CommandError("InvalidOptions", `${what} are not supported on time-series collections`);
}

/** What holds for every kind of collection. @returns the key pattern */
function checkedSpec(spec: Document): Document {
  for (const name of spec.names()) {
    const value = spec.get(name);
    const kind = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (kind === undefined && !OPTIONS_OF_OTHERS.has(name)) {
      throw inSpec(
        spec,
        "InvalidIndexSpecificationOption",
        `The field '${name}' is not valid for an index specification. Specification: ${shownDocument(spec)}`,
      );
    }
    if (kind === "bool" && typeof value !== "boolean" && !isNumber(value)) {
      const text = `The field '${name} has value ${
        elementText(name, value)
      }, which is not convertible to bool`;
      throw inSpec(spec, "TypeMismatch", text);
    }
    if (kind === "object") checkObject(spec, name, value);
  }
  const key = checkedKey(spec);
  checkName(spec);
  checkVersion(spec);
  checkClustered(spec);
  if (isYes(spec.get("unique")) && isYes(spec.get("prepareUnique"))) {
    const text =
      `Invalid index specification ${shownDocument(spec)}; cannot create an index with the 'unique' option ` +
      "and the 'prepareUnique' option";
    throw inSpec(spec, "CannotCreateIndex", text);
  }
  if (isYes(spec.get("sparse")) && spec.get("partialFilterExpression") !== undefined) {
    throw inSpec(
      withVersion(spec),
      "CannotCreateIndex",
      'cannot mix "partialFilterExpression" and "sparse" options',
    );
  }
  return key;
}

function checkObject(spec: Document, name: string, value: Value): void {
  if (value instanceof Document) return;
  const found = aliasOfType(typeOf(value));
  throw inSpec(spec, "TypeMismatch", `The field '${name}' must be an object, but got ${found}`);
}

function checkName(spec: Document): void {
  const name = spec.get("name");
  if (name === undefined) throw missing(spec, "name");
  if (typeof name !== "string") {
    const found = aliasOfType(typeOf(name));
    throw inSpec(spec, "TypeMismatch", `The field 'name' must be a string, but got ${found}`);
  }
  if (name === "*") throw new CommandError("BadValue", "The index name '*' is not valid.");
  if (name === "") throw inSpec(withVersion(spec), "CannotCreateIndex", "index name cannot be empty");
}

function checkVersion(spec: Document): void {
  const version = spec.get("v");
  if (version === undefined) return;
  if (!isNumber(version)) {
    const text = `The field 'v' must be a number, but got ${aliasOfType(typeOf(version))}`;
    throw inSpec(spec, "TypeMismatch", text);
  }
  const number = numberOf(version);
  if (number === 1 || number === 2) return;
  const text = `Invalid index specification ${shownDocument(spec)}; cannot create an index with v=${number}`;
  throw inSpec(spec, "CannotCreateIndex", text);
}

function checkClustered(spec: Document): void {
  const clustered = spec.get("clustered");
  if (clustered === undefined) return;
  if (!isYes(clustered)) {
    const text = `Value '${elementText("", clustered).slice(2)}' for field 'clustered' is invalid`;
    throw inSpec(spec, 6492800, text);
  }
  if (isYes(spec.get("unique"))) return;
  const text = "The 'unique' field is required when 'clustered' is specified";
  throw inSpec(spec, "CannotCreateIndex", text);
}

function checkedKey(spec: Document): Document {
  const key = spec.get("key");
  if (key === undefined) throw missing(spec, "key");
  checkObject(spec, "key", key);
  const pattern = key as Document;
  if (pattern.isEmpty()) throw inSpec(spec, "CannotCreateIndex", "Index keys cannot be empty.");
  const kind = kindOf(pattern);
  for (const name of pattern.names()) {
    const direction = pattern.get(name);
    const isSecondKind = typeof direction === "string" && direction !== kind;
    const wrong = wrongWithField(name, direction) ??
      (isSecondKind
        ? "Can't use more than one index plugin for a single index."
        : wrongWithDirection(direction));
    if (wrong !== undefined) throw inSpec(spec, "CannotCreateIndex", wrong);
  }
  const wrong = wrongWithWildcardKey(pattern);
  if (wrong !== undefined) throw inSpec(spec, "CannotCreateIndex", wrong);
  const projection = wrongWithProjection(spec, pattern);
  if (projection !== undefined) throw inSpec(spec, projection.code, projection.message);
  return pattern;
}

function wrongWithField(name: string, direction: Value): string | undefined {
  if (name === "") return "Index keys cannot be an empty field.";
  const parts = name.split(".");
  if (parts.includes("")) return "Index keys cannot contain an empty field.";
  const isAll = parts.at(-1) === "$**" && (isNumber(direction) || direction === "text");
  if (isAll && parts.slice(0, -1).every((part) => !part.startsWith("$"))) return undefined;
  if (parts.some((part) => part.startsWith("$") && !REFERENCE_PARTS.has(part))) {
    return "Index key contains an illegal field name: field name starts with '$'.";
  }
  return undefined;
}

function wrongWithDirection(direction: Value): string | undefined {
  if (isNumber(direction)) {
    const number = numberOf(direction);
    if (number === 0) return "Values in the index key pattern cannot be 0.";
    return Number.isNaN(number) ? "Values in the index key pattern cannot be NaN." : undefined;
  }
  if (direction === "") return "Values in the index key pattern cannot be empty strings";
  if (typeof direction === "string") {
    return KINDS.has(direction) ? undefined : `Unknown index plugin '${direction}'`;
  }
  return `Values in v:2 index key pattern cannot be of type ${
    aliasOfType(typeOf(direction))
  }. Only numbers > 0, ` +
    "numbers < 0, and strings are allowed.";
}

/** `text` and the like; undefined for an index in order. */
function kindOf(key: Document): string | undefined {
  const named = key.values().find((direction) => typeof direction === "string");
  return named === undefined && isWildcardKey(key) ? "wildcard" : named;
}

/** Of places, without keys: nothing keeps those apart. */
function checkPlaces(spec: Document, key: Document): void {
  if (isYes(spec.get("unique")) || isYes(spec.get("prepareUnique"))) {
    throw missingKind("unique 2dsphere", spec, key);
  }
  const version = spec.get(PLACE_VERSION);
  if (version === undefined || (isNumber(version) && [1, 2, 3].includes(numberOf(version)))) return;
  const text =
    `unsupported geo index version { ${PLACE_VERSION} : ${elementText(PLACE_VERSION, version)} }, ` +
    "only versions: [1,2,3] are supported";
  throw inSpec(withVersion(spec), "CannotCreateIndex", text);
}

function withPlaceVersion(index: Document): Document {
  if (index.has(PLACE_VERSION)) return index;
  return DocumentBuilder.from(index).append(PLACE_VERSION, Int32.of(3)).build();
}

function checkWildcard(spec: Document): void {
  const option = ["unique", "sparse"].find((name) => isYes(spec.get(name)));
  const wrong = option !== undefined
    ? `does not support the ${option} option`
    : spec.get("expireAfterSeconds") !== undefined
    ? "cannot be a TTL index"
    : undefined;
  if (wrong === undefined) return;
  throw inSpec(withVersion(spec), "CannotCreateIndex", `Index type 'wildcard' ${wrong}`);
}

function missingKind(kind: string, spec: Document, key: Document): CommandError {
  return new CommandError(
    "NotImplemented",
    `${kind} indexes are not implemented: index '${spec.get("name")}' on ${shownDocument(key)}`,
  );
}

/** An index orders texts by their bytes: under a collation it would let equal ones in, and not find them. */
function refuseMissingOptions(spec: Document, defaultCollation: Value): void {
  const collation = spec.get("collation") ?? defaultCollation;
  const isCollated = collation instanceof Document && collation.get("locale") !== SIMPLE_LOCALE;
  const option = isCollated ? "collation" : NOT_IMPLEMENTED.find((name) => isAsked(spec.get(name)));
  if (option === undefined) return;
  throw new CommandError("NotImplemented", `the option '${option}' of createIndexes is not implemented`);
}

function isAsked(value: Value): boolean {
  return value !== undefined && value !== null && value !== false;
}

function isIdPattern(key: Document): boolean {
  const [name] = key.names();
  return name === "_id" && key.names().length === 1;
}

function reservedName(key: Document): CommandError {
  return new CommandError(
    "BadValue",
    `The index name '${ID_NAME}' is reserved for the _id index, which must have key pattern {_id: 1}, found key: ` +
      shownDocument(key),
  );
}

function checkIdIndex(spec: Document, key: Document): void {
  if (numberOf(key.get("_id")) !== 1) {
    throw new CommandError(
      "BadValue",
      `The field 'key' for an _id index must be {_id: 1}, but got ${shownDocument(key)}`,
    );
  }
  if (spec.has("clustered")) return;
  const wrong = spec.names().find((name) => !ID_OPTIONS.has(name));
  if (wrong === undefined) return;
  throw new CommandError(
    "InvalidIndexSpecificationOption",
    `The field '${wrong}' is not valid for an _id index specification. Specification: ` +
      shownDocument(withVersion(spec)),
  );
}

function checkPartial(spec: Document): void {
  const filter = spec.get("partialFilterExpression");
  if (!(filter instanceof Document)) return;
  const wrong = unsupported(parseFilter(filter));
  if (wrong === undefined) return;
  throw inSpec(
    withVersion(spec),
    "CannotCreateIndex",
    `Expression not supported in partial index: ${wrong}\n`,
  );
}

const IN_PARTIAL: ReadonlySet<Filter["kind"]> = new Set([
  "comparison",
  "in",
  "exists",
  "type",
  "geo",
  "constant",
]);

/** The first part that a partial index's filter may not have. */
function unsupported(filter: Filter): string | undefined {
  if (filter.kind === "and" || filter.kind === "or") {
    return filter.filters.map(unsupported).find((wrong) => wrong !== undefined);
  }
  if (IN_PARTIAL.has(filter.kind)) return undefined;
  return filter.kind === "not" ? `$not\n    ${shownFilter(filter.filter)}` : `$${filter.kind}`;
}

function shownFilter(filter: Filter): string {
  if (filter.kind === "comparison") {
    return `${filter.path.join(".")} ${filter.operator} ${elementText("", filter.value).slice(2)}`;
  }
  return filter.kind === "exists" ? `${filter.path.join(".")} exists` : `$${filter.kind}`;
}

/** With the seconds as its last field; without any where they are undefined. */
export function withTtl(index: Document, seconds: Int32 | undefined): Document {
  return DocumentBuilder.from(index).set("expireAfterSeconds", undefined).append(
    "expireAfterSeconds",
    seconds,
  )
    .build();
}

/** Version, key and name first; booleans as such; what is not asked for is left out. */
function completed(spec: Document, key: Document): Document {
  const others = spec.names().flatMap((name): (readonly [string, Value])[] => {
    if (name === "v" || name === "key" || name === "name" || name === "ns" || name === "collation") return [];
    const value = spec.get(name);
    if (OPTIONS[name] !== "bool") return [[name, value]];
    return isYes(value) || !DROPPED_WHERE_FALSE.has(name) ? [[name, isYes(value)]] : [];
  });
  const version = spec.get("v");
  const v = version === undefined ? VERSION : Int32.of(numberOf(version));
  const fields = [["v", v], ["key", key], ["name", spec.get("name")], ...others] as const;
  return new BuiltDocument(fields.map(([name]) => name), fields.map(([, value]) => value));
}

export function isYes(value: Value): boolean {
  return typeof value === "boolean" ? value : isNumber(value) && numberOf(value) !== 0;
}

export function withVersion(spec: Document): Document {
  if (spec.get("v") !== undefined) return spec;
  return new BuiltDocument([...spec.names(), "v"], [...spec.values(), VERSION]);
}

function missing(spec: Document, name: string): CommandError {
  return inSpec(
    spec,
    "FailedToParse",
    `The '${name}' field is a required property of an index specification`,
  );
}

export function inSpec(spec: Document, code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, `Error in specification ${shownDocument(spec)} :: caused by :: ${message}`);
}

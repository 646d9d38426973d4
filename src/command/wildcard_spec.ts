/** What a definition of a wildcard index may have, in MongoDB's words. */
import type { ErrorCodeLike } from "../base/mod.ts";
import { aliasOfType, Document, isNumber, typeOf, type Value } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";

const ALL = "$**";

export function isWildcardKey(key: Document): boolean {
  return key.names().some((name) => name === ALL || name.endsWith(`.${ALL}`));
}

/** What is wrong with a key pattern that has wildcards; undefined for nothing. */
export function wrongWithWildcardKey(key: Document): string | undefined {
  if (!isWildcardKey(key)) return undefined;
  if (key.names().length > 1) return "wildcard indexes do not allow compounding";
  const [direction] = key.values();
  return isNumber(direction) && numberOf(direction) < 0
    ? "A numeric value in a $** index key pattern must be positive."
    : undefined;
}

interface WrongOption {
  readonly code: ErrorCodeLike;
  readonly message: string;
}

/** What is wrong with `wildcardProjection`; undefined for nothing. */
export function wrongWithProjection(spec: Document, key: Document): WrongOption | undefined {
  const projection = spec.get("wildcardProjection");
  if (projection === undefined) return undefined;
  if (!isWildcardKey(key)) {
    const message = "The field 'wildcardProjection' is only allowed in an 'wildcard' index";
    return { code: "BadValue", message };
  }
  if (!(projection instanceof Document)) {
    const found = aliasOfType(typeOf(projection));
    const message = `The field 'wildcardProjection' must be a non-empty object, but got ${found}`;
    return { code: "TypeMismatch", message };
  }
  if (!key.has(ALL)) {
    const message = `The field 'wildcardProjection' is only allowed when 'key' is {"$**": \u00b11}`;
    return { code: "FailedToParse", message };
  }
  if (projection.isEmpty()) {
    return { code: "FailedToParse", message: "The 'wildcardProjection' field can't be an empty object" };
  }
  const wrong = wrongWithFields(leavesOf(projection, ""));
  return wrong &&
    { ...wrong, message: `Failed to parse: wildcardProjection :: caused by :: ${wrong.message}` };
}

type Leaf = readonly [path: string, value: Value];

function leavesOf(projection: Document, above: string): readonly Leaf[] {
  return projection.names().flatMap((name): readonly Leaf[] => {
    const value = projection.get(name);
    const isNested = value instanceof Document && !value.names().some((inner) => inner.startsWith("$"));
    return isNested ? leavesOf(value, `${above}${name}.`) : [[above + name, value]];
  });
}

function wrongWithFields(leaves: readonly Leaf[]): WrongOption | undefined {
  if (leaves.some(([, value]) => !isNumber(value) && typeof value !== "boolean")) {
    const message =
      "Bad projection specification, cannot use computed fields when parsing a spec in kBanComputedFields mode";
    return { code: 51271, message };
  }
  const fields = leaves.filter(([path]) => path !== "_id");
  const isIncluded = ([, value]: Leaf) => typeof value === "boolean" ? value : numberOf(value) !== 0;
  const other = fields.find((field) => isIncluded(field) !== isIncluded(fields[0]!));
  if (other === undefined) return undefined;
  return isIncluded(other)
    ? { code: 31253, message: `Cannot do inclusion on field ${other[0]} in exclusion projection` }
    : { code: 31254, message: `Cannot do exclusion on field ${other[0]} in inclusion projection` };
}

/** The options of a collection, in the order in which `listCollections` shows them. */
import { BuiltDocument, type Document, type Value } from "../bson/mod.ts";

const ORDER = [
  "capped",
  "size",
  "max",
  "changeStreamPreAndPostImages",
  "validator",
  "validationLevel",
  "validationAction",
  "viewOn",
  "pipeline",
  "collation",
  "clusteredIndex",
  "expireAfterSeconds",
  "timeseries",
] as const;

export type CollectionOption = typeof ORDER[number];

/** Options with others in their place; those that are `undefined` then are left out. */
export function withOptions(
  options: Document,
  changed: { readonly [Name in CollectionOption]?: Value },
): Document {
  const fields = ORDER.map((name) => [name, name in changed ? changed[name] : options.get(name)] as const);
  return BuiltDocument.of(Object.fromEntries(fields));
}

/** The document that an upsert inserts where nothing matched: what the filter says that fields equal, then the update. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  compareText,
  Document,
  DocumentBuilder,
  ObjectId,
  type Value,
} from "../../bson/mod.ts";
import type { Filter, Path } from "../filter/filter.ts";
import type { Update } from "./update.ts";
import type { Updater } from "./updater.ts";

interface Equality {
  readonly path: Path;
  readonly value: Value;
}

const ID = "_id";

/**
 * Makes the document of an upsert, with an _id in front.
 *
 * @throws CommandError NotSingleValueField when the filter says two things of one field, and what the update throws
 */
export function documentToInsert(filter: Filter, update: Update, apply: Updater): Document {
  const equalities = equalitiesIn(filter);
  const isReplaced = update.kind === "replacement";
  const wanted = isReplaced ? equalities.filter(({ path }) => path[0] === ID) : sortedByPath(equalities);
  checkPaths(wanted);
  if (isReplaced) checkWholeId(wanted);
  const start = wanted.reduce(
    (document, { path, value }) => withValue(document, path, value),
    BuiltDocument.EMPTY as Document,
  );
  return withId(apply(start, { inserting: true, position: () => undefined }));
}

function withId(document: Document): Document {
  const id = document.get(ID);
  if (id !== undefined && document.names()[0] === ID) return document;
  const builder = new DocumentBuilder().append(ID, id ?? new ObjectId());
  const values = document.values();
  document.names().forEach((name, i) => {
    if (name !== ID) builder.append(name, values[i]);
  });
  return builder.build();
}

/** What every document that passes the filter equals. */
function equalitiesIn(filter: Filter): readonly Equality[] {
  switch (filter.kind) {
    case "and":
      return filter.filters.flatMap(equalitiesIn);
    case "or":
      return filter.filters.length === 1 ? equalitiesIn(filter.filters[0]!) : [];
    case "comparison":
      return filter.operator === "$eq" ? [{ path: filter.path, value: filter.value }] : [];
    case "in":
      return filter.values.length === 1 && filter.patterns.length === 0
        ? [{ path: filter.path, value: filter.values[0] }]
        : [];
    default:
      return [];
  }
}

/** The order in which MongoDB makes the fields. */
function sortedByPath(equalities: readonly Equality[]): readonly Equality[] {
  return [...equalities].sort((a, b) => compareText(a.path.join("."), b.path.join(".")));
}

function checkPaths(equalities: readonly Equality[]): void {
  const seen: string[] = [];
  for (const { path } of equalities) {
    const name = path.join(".");
    for (const other of seen) {
      if (other === name) {
        throw notSingle(`cannot infer query fields to set, path '${name}' is matched twice`);
      }
      if (name.startsWith(`${other}.`) || other.startsWith(`${name}.`)) {
        throw notSingle(`cannot infer query fields to set, both paths '${name}' and '${other}' are matched`);
      }
    }
    seen.push(name);
  }
}

/** A replacement needs to know the _id as a whole. */
function checkWholeId(equalities: readonly Equality[]): void {
  for (const { path } of equalities) {
    if (path.length === 1) continue;
    throw new CommandError(
      "NotExactValueField",
      `field at '${ID}' must be exactly specified, field at sub-path '${path.join(".")}'found`,
    );
  }
}

/** @throws CommandError QueryFeatureNotAllowed when a filter is none that an upsert can have */
export function checkUpsertFilter(filter: Filter): void {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.forEach(checkUpsertFilter);
    case "expr":
      throw new CommandError(
        "QueryFeatureNotAllowed",
        "$expr is not allowed in the query predicate for an upsert",
      );
  }
}

function notSingle(message: string): CommandError {
  return new CommandError("NotSingleValueField", message);
}

function withValue(document: Document, path: Path, value: Value): Document {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) return DocumentBuilder.from(document).set(name, value).build();
  const inner = document.get(name);
  const below = inner instanceof Document ? inner : BuiltDocument.EMPTY;
  return DocumentBuilder.from(document).set(name, withValue(below, rest, value)).build();
}

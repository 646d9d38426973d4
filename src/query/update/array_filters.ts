/** `arrayFilters`: each names, by the first part of its fields, the elements that `$[name]` stands for. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, type Value } from "../../bson/mod.ts";
import { inContext } from "../error_context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { renderDocument } from "../expression/message.ts";
import { compileFilter } from "../filter/compile.ts";
import type { Filter } from "../filter/filter.ts";
import { parseFilter } from "../filter/parse.ts";

/** Filters over `{name: element}`, by name. */
export type ArrayFilters = ReadonlyMap<string, Filter>;

const IDENTIFIER = /^[a-z][a-zA-Z0-9]*$/;

/** @throws CommandError with MongoDB's code and wording */
export function parseArrayFilters(specs: readonly Document[], context: ParseContext): ArrayFilters {
  const filters = new Map<string, Filter>();
  for (const spec of specs) {
    const [filter, name] = inContext("Error parsing array filter", () => {
      const filter = parseFilter(spec, context);
      return [filter, nameOf(filter)] as const;
    });
    if (name === undefined) {
      throw new CommandError(
        "FailedToParse",
        "Cannot use an expression without a top-level field name in arrayFilters",
      );
    }
    if (filters.has(name)) {
      throw new CommandError(
        "FailedToParse",
        `Found multiple array filters with the same top-level field name ${name}`,
      );
    }
    filters.set(name, filter);
  }
  return filters;
}

function nameOf(filter: Filter): string | undefined {
  let found: string | undefined;
  for (const name of namesIn(filter)) {
    if (found !== undefined && found !== name) {
      throw new CommandError(
        "FailedToParse",
        `Expected a single top-level field name, found '${found}' and '${name}'`,
      );
    }
    found = name;
  }
  if (found !== undefined && !IDENTIFIER.test(found)) {
    throw new CommandError(
      "BadValue",
      "The top-level field name must be an alphanumeric string " +
        `beginning with a lowercase letter, found '${found}'`,
    );
  }
  return found;
}

function namesIn(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.flatMap(namesIn);
    case "not":
      return namesIn(filter.filter);
    case "expr":
      throw new CommandError("QueryFeatureNotAllowed", "$expr is not allowed in this context");
    case "constant":
    case "sampleRate":
    case "jsonSchema":
      return [];
    default:
      return filter.path.slice(0, 1);
  }
}

/** @throws CommandError when a filter is named nowhere in the update */
export function checkAllUsed(filters: ArrayFilters, used: ReadonlySet<string>, update: Document): void {
  for (const name of filters.keys()) {
    if (used.has(name)) continue;
    throw new CommandError(
      "FailedToParse",
      `The array filter for identifier '${name}' was not used in the update ${renderDocument(update)}`,
    );
  }
}

/** Questions that are asked of an element. */
export function compileArrayFilters(filters: ArrayFilters): ReadonlyMap<string, (element: Value) => boolean> {
  return new Map([...filters].map(([name, filter]) => {
    const matches = compileFilter(filter);
    const names = [name];
    return [name, (element: Value) => matches(new BuiltDocument(names, [element]))];
  }));
}

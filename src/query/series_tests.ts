/**
 * What a filter on the metaField asks of single values, path by path: where storage has the values at a path by number, it
 * asks once for each different one, instead of showing the filter every meta.
 */
import type { Value } from "../bson/mod.ts";
import { readPathOfValue } from "./expression/field_path.ts";
import { valueTest } from "./filter/compile.ts";
import type { Filter, PathFilter } from "./filter/filter.ts";
import type { MetaPath, SeriesTest } from "./source.ts";

/** A path of metas. @param path begins with the metaField */
export function metaPathOf(path: readonly string[]): MetaPath {
  const fields = path.slice(1);
  const read = fields.length === 0
    ? (meta: Value) => meta
    : (meta: Value) => readPathOfValue(meta, fields, 0);
  return { name: JSON.stringify(fields), fields, read };
}

/**
 * The tests that a series has to pass, all of them; undefined where the filter asks for more than they do.
 *
 * @param filter reads only the metaField
 */
export function seriesTestsOf(filter: Filter): readonly SeriesTest[] | undefined {
  switch (filter.kind) {
    case "and":
      return joined(filter.filters.map(seriesTestsOf));
    case "nor":
      return joined(filter.filters.map(negated));
    case "not":
      return negated(filter.filter);
    case "comparison":
    case "in":
    case "regex":
    case "exists":
    case "type":
    case "mod":
    case "bits":
      return [testOf(filter)];
    default:
      return undefined;
  }
}

function testOf(filter: PathFilter): SeriesTest {
  return { path: metaPathOf(filter.path), compile: () => valueTest(filter) };
}

/** The opposite of what is one test. */
function negated(filter: Filter): readonly SeriesTest[] | undefined {
  const [test, other] = seriesTestsOf(filter) ?? [];
  if (test === undefined || other !== undefined) return undefined;
  const compile = () => {
    const passes = test.compile();
    return (value: Value) => !passes(value);
  };
  return [{ path: test.path, compile }];
}

function joined(all: readonly (readonly SeriesTest[] | undefined)[]): readonly SeriesTest[] | undefined {
  const known = all.filter((tests) => tests !== undefined);
  return known.length < all.length ? undefined : known.flat();
}

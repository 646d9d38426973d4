/**
 * The rows of a collection that are equal in a field to rows at hand: one scan for a batch of rows, with `$in` over all
 * their values as its condition, so that storage reads only what can match.
 *
 * What a row's value is: of an array each element counts; a field that is found nowhere counts as null, as does an empty
 * array. A foreign row matches by any value that its path names, as in a filter; null matches what is missing.
 */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  Document,
  isArray,
  isNullish,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { collationOf } from "../expression/expression.ts";
import type { InFilter } from "../filter/filter.ts";
import { someValueAt } from "../filter/path.ts";
import { approximateBytes } from "../memory.ts";
import type { Rows } from "../source.ts";
import type { MatchStage } from "./match.ts";
import type { Foreign, SubPipelines } from "./sub_pipeline.ts";

/** What matches one batch of rows may take this much; else the batch is cut in two. */
const BATCH_BYTES = MAX_BLOCKING_STAGE_BYTES / 4;

/** What is made of a row and what it matches. */
export interface Join {
  /** Whether that can be done part by part. */
  readonly isUnwound: boolean;
  join(row: Document, found: readonly Document[]): Promise<readonly Document[]>;
  /** The same where it is too much to be held at once. */
  joinPart(row: Document, found: Rows): Rows;
}

export class EqualityJoin<Stage> {
  constructor(
    private readonly fields: {
      readonly localField: readonly string[];
      readonly foreignField: readonly string[];
      readonly collation?: Collation;
      /** The collection, for errors; undefined where a pipeline brings the documents. */
      readonly from: string | undefined;
    },
    private readonly foreign: Foreign<Stage>,
    private readonly context: QueryContext,
    private readonly pipelines: SubPipelines<Stage | MatchStage>,
  ) {}

  /** What is made of each row and the documents that it was found to match. */
  async *joined(rows: readonly Document[], join: Join): Rows {
    const found = await this.find(rows, join.isUnwound);
    if (found === undefined && rows.length === 1) {
      return yield* join.joinPart(rows[0]!, this.matchesOf(rows[0]!));
    }
    if (found === undefined) {
      const middle = rows.length >>> 1;
      yield* this.joined(rows.slice(0, middle), join);
      yield* this.joined(rows.slice(middle), join);
      return;
    }
    const output: Document[] = [];
    for (let i = 0; i < rows.length; i++) {
      for (const made of await join.join(rows[i]!, found[i]!)) output.push(made);
    }
    yield output;
  }

  /** What one row matches. */
  private async *matchesOf(row: Document): Rows {
    const table = this.tableOf([row]);
    for await (const batch of this.scan(table.values)) {
      yield batch.filter((document) => table.placesOf(document, this.fields.foreignField).size > 0);
    }
  }

  private tableOf(rows: readonly Document[]): KeyTable {
    const table = new KeyTable(this.fields.collation);
    rows.forEach((row, i) =>
      localValues(row, this.fields.localField).forEach((value) => table.add(value, i))
    );
    return table;
  }

  /** For each row what it matches; undefined when that is too much to be held at once. */
  private async find(
    rows: readonly Document[],
    isUnwound: boolean,
  ): Promise<readonly (readonly Document[])[] | undefined> {
    const table = this.tableOf(rows);
    const found = rows.map((): Document[] => []);
    let bytes = 0;
    for await (const batch of this.scan(table.values)) {
      for (const document of batch) {
        const places = table.placesOf(document, this.fields.foreignField);
        if (places.size === 0) continue;
        bytes += approximateBytes(document);
        for (const place of places) found[place]!.push(document);
      }
      if (bytes > BATCH_BYTES && (rows.length > 1 || isUnwound)) return undefined;
      if (bytes > MAX_BLOCKING_STAGE_BYTES) throw tooMuchFound(this.fields.from);
      await this.context.checkpoint();
    }
    return found;
  }

  private scan(values: readonly Value[]): Rows {
    const { foreignField: path } = this.fields;
    const filter: InFilter = { kind: "in", path, values, patterns: [], ...collationOf(this.fields) };
    const match: MatchStage = { kind: "match", filter, source: BuiltDocument.EMPTY };
    return this.pipelines.run([...this.foreign.stages, match], this.foreign.source, this.context);
  }
}

/** @param from undefined where the pipeline brings its own documents */
export function tooMuchFound(from = "$cmd.aggregate"): CommandError {
  return new CommandError(
    4568,
    `Total size of documents in ${from} matching pipeline's $lookup stage exceeds ${MAX_BLOCKING_STAGE_BYTES} bytes`,
  );
}

/** Which of the rows at hand have a value. */
class KeyTable {
  /** Each different value once. */
  readonly values: Value[] = [];
  private readonly places = new Map<ValueKey, number[]>();
  private readonly keyOf: (value: Value) => ValueKey;

  constructor(collation: Collation | undefined) {
    this.keyOf = joinKeys(collation);
  }

  add(value: Value, place: number): void {
    const key = this.keyOf(value);
    const places = this.places.get(key);
    if (places === undefined) {
      this.places.set(key, [place]);
      this.values.push(isNullish(value) ? null : value);
    } else if (places.at(-1) !== place) {
      places.push(place);
    }
  }

  /** The rows that a foreign one matches. */
  placesOf(document: Document, path: readonly string[]): ReadonlySet<number> {
    const found = new Set<number>();
    someValueAt(document, path, (value) => {
      this.places.get(this.keyOf(value))?.forEach((place) => found.add(place));
      return false;
    }, true);
    return found;
  }
}

/** The keys of values that are equal to a join: null, undefined and missing are one. */
function joinKeys(collation: Collation | undefined): (value: Value) => ValueKey {
  const keyOf = valueKeys(collation);
  return (value) => isNullish(value) ? null : keyOf(value);
}

/** The values of a row that others may be equal to; never none. */
function localValues(row: Document, path: readonly string[]): readonly Value[] {
  const values: Value[] = [];
  collect(row, path, 0, values);
  return values.length === 0 ? [null] : values;
}

/** At each name an array is looked into, one level deep. */
function collect(document: Document, path: readonly string[], from: number, values: Value[]): void {
  const value = document.get(path[from]!);
  const items = isArray(value) ? value : [value];
  for (const item of items) {
    if (from === path.length - 1) {
      if (item !== undefined) values.push(item);
    } else if (item instanceof Document) {
      collect(item, path, from + 1, values);
    }
  }
}

/** What a sort has sorted a row by is noted with the row, behind the sort: for `{ $meta: "sortKey" }` in later stages. */
import type { QueryContext } from "../context.ts";
import { KeyedRow } from "../keyed_row.ts";
import { mapBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { shownKeyReader, type SortPart } from "./sort_key.ts";

export interface SortKeyStage {
  readonly kind: "sortKey";
  /** Those of the sort; none for an order that no field decides. */
  readonly parts: readonly SortPart[];
}

export function runSortKey({ parts }: SortKeyStage, input: Rows, context: QueryContext): Rows {
  const readKey = shownKeyReader(parts);
  return mapBatches(input, context, (batch) => batch.map((row) => KeyedRow.of(row, readKey(row))));
}

/** Inserts and changes of measurements that have to pass a check: those that do not are refused, the others written. */
import type { RawDocument } from "../bson/mod.ts";
import type { DocumentCheck } from "./document_check.ts";
import type { MeasurementChange } from "./measurement_change.ts";
import type { InsertResult } from "./router.ts";

/**
 * @param insert stores those at the places that are allowed, in that order
 * @param ordered nothing is stored behind the first one that is refused
 */
export async function insertChecked(
  documents: readonly RawDocument[],
  ordered: boolean,
  check: DocumentCheck,
  insert: (places: readonly number[]) => Promise<InsertResult>,
): Promise<InsertResult> {
  const places: number[] = [];
  const refused: InsertResult["errors"][number][] = [];
  for (const [index, document] of documents.entries()) {
    const error = check(document);
    if (error === undefined) places.push(index);
    else refused.push({ index, error });
    if (ordered && refused.length > 0) break;
  }
  const { inserted, errors } = places.length === 0 ? { inserted: 0, errors: [] } : await insert(places);
  const stored = errors.map(({ index, error }) => ({ index: places[index]!, error }));
  if (ordered && stored.length > 0) return { inserted, errors: stored };
  return { inserted, errors: [...stored, ...refused].sort((a, b) => a.index - b.index) };
}

/** The change, whose new measurements are checked. */
export function changeChecked(request: MeasurementChange, check: DocumentCheck): MeasurementChange {
  const checked = (document: RawDocument) => {
    const error = check(document);
    if (error !== undefined) throw error;
    return document;
  };
  const { upsert } = request;
  return {
    ...request,
    change: (row) => {
      const outcome = request.change(row);
      return outcome === "keep" || outcome === "remove" ? outcome : checked(outcome);
    },
    ...(upsert && { upsert: () => checked(upsert()) }),
  };
}

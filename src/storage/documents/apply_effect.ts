/** What an effect does to the tables of its collection: the documents and, in step with them, the keys of all indexes. */
import { assert, CommandError } from "../../base/mod.ts";
import { encodeIndexKey, RawDocument } from "../../bson/mod.ts";
import type { TableWriter } from "./collection_table.ts";
import { idOf } from "./document_id.ts";
import { takenId, type TakenKey } from "./duplicate_key.ts";
import type { Effect } from "./effect.ts";
import type { IndexTables } from "./index_tables.ts";
import type { StoredRow } from "./stored_row.ts";

/** The tables of one collection, on the writing side. */
export interface WrittenTables {
  readonly writer: TableWriter;
  readonly indexes: IndexTables | undefined;
}

/** Where the document of an effect goes: to a free place, or to that of the one that is there. */
export type EffectPlace = { readonly nextSeq: number } | StoredRow;

/**
 * @param place a free one for an insert, else that of the document with the same _id
 * @returns the key that was not free; then nothing has changed
 * @throws CommandError when an index cannot hold the document; then nothing has changed
 */
export function applyEffect(
  { writer, indexes }: WrittenTables,
  { kind, document, changes }: Effect,
  place: EffectPlace,
): TakenKey | undefined {
  if ("nextSeq" in place) return insert(writer, indexes, document, place.nextSeq);
  const { seq, doc } = place;
  if (indexes !== undefined && !indexes.isEmpty) {
    const old = new RawDocument(doc);
    const taken = kind === "delete" ? indexes.remove(old, seq) : indexes.replace(old, document, seq, changes);
    if (taken !== undefined) return taken;
  }
  if (kind === "delete") writer.delete(seq);
  else writer.replace(seq, document.slice());
  return undefined;
}

function insert(
  writer: TableWriter,
  indexes: IndexTables | undefined,
  document: RawDocument,
  seq: number,
): TakenKey | undefined {
  const id = idOf(document);
  const key = encodeIndexKey(id);
  if (indexes !== undefined && !indexes.isEmpty) {
    // All that may refuse the document comes before the first change.
    if (writer.has(key)) return takenId(id);
    const taken = indexes.add(document, seq);
    if (taken !== undefined) return taken;
  }
  return writer.insert(seq, key, document.slice()) ? undefined : takenId(id);
}

/**
 * As `applyEffect`, for an effect that the log has: it was possible when it was logged. An index that cannot follow was
 * dropped later, or made anew, which this file does not know yet: then the collection's indexes go, and whoever knows the
 * catalog makes those again that are to be there.
 */
export function applyLogged(tables: WrittenTables, effect: Effect, place: EffectPlace): void {
  try {
    if (applyEffect(tables, effect, place) === undefined) return;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  tables.indexes?.dropAll();
  const taken = applyEffect(tables, effect, place);
  assert(taken === undefined, `a logged ${effect.kind} fits collection ${effect.collectionId}`);
}

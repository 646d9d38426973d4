/** What an effect does to the tables of its collection: the documents and, in step with them, the keys of all indexes. */
import { assert, CommandError } from "../../base/mod.ts";
import { RawDocument, type Value } from "../../bson/mod.ts";
import type { TableWriter } from "./collection_table.ts";
import { takenId, type TakenKey } from "./duplicate_key.ts";
import type { Effect } from "./effect.ts";
import type { IndexTables } from "./index_tables.ts";

/** The tables of one collection, on the writing side. */
export interface WrittenTables {
  readonly writer: TableWriter;
  readonly indexes: IndexTables | undefined;
}

/**
 * @param key of the document's _id
 * @param nextSeq where an inserted document goes
 * @returns the key that was not free; then nothing has changed
 * @throws CommandError when an index cannot hold the document; then nothing has changed
 */
export function applyEffect(
  { writer, indexes }: WrittenTables,
  effect: Effect,
  key: Uint8Array,
  nextSeq: number,
): TakenKey | undefined {
  if (indexes === undefined || indexes.isEmpty) return applyToTable(writer, effect, key, nextSeq);
  const { kind, document } = effect;
  const old = writer.find(key);
  if (kind === "insert" && old !== undefined) return takenId(idOf(document));
  const seq = old?.seq ?? nextSeq;
  // All that may refuse the document comes before the first change.
  const keys = kind === "delete" ? undefined : indexes.keysOf(document);
  const taken = keys && indexes.taken(keys, old?.seq);
  if (taken !== undefined) return taken;
  if (old !== undefined) indexes.remove(indexes.keysOf(new RawDocument(old.doc)), seq);
  if (keys !== undefined) indexes.add(keys, seq);
  return applyToTable(writer, effect, key, seq);
}

/**
 * As `applyEffect`, for an effect that the log has: it was possible when it was logged. An index that cannot follow was
 * dropped later, or made anew, which this file does not know yet: then the collection's indexes go, and whoever knows the
 * catalog makes those again that are to be there.
 */
export function applyLogged(tables: WrittenTables, effect: Effect, key: Uint8Array, nextSeq: number): void {
  try {
    if (applyEffect(tables, effect, key, nextSeq) === undefined) return;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  tables.indexes?.dropAll();
  const taken = applyEffect(tables, effect, key, nextSeq);
  assert(taken === undefined, `a logged ${effect.kind} fits collection ${effect.collectionId}`);
}

function applyToTable(
  writer: TableWriter,
  { kind, document }: Effect,
  key: Uint8Array,
  seq: number,
): TakenKey | undefined {
  switch (kind) {
    case "insert":
      return writer.insert(seq, key, document.slice()) ? undefined : takenId(idOf(document));
    case "replace":
      assert(writer.replace(key, document.slice()), "a document to replace is there");
      return undefined;
    case "delete":
      assert(writer.delete(key), "a document to delete is there");
      return undefined;
  }
}

export function idOf(document: RawDocument): Value {
  const id = document.get("_id");
  assert(id !== undefined, "a stored document has an _id");
  return id;
}

/**
 * Reads all of one regular collection, a batch at a time, as others go on writing: every document is whole BSON and lies
 * under the key of its _id, the index leads to it, and the other indexes have its keys and no others (verify_indexes.ts).
 */
import type { DatabaseSync } from "node:sqlite";
import type { IndexVerification, IndexVerifier } from "./verify_indexes.ts";
import { compareBytes, encodeIndexKey, RawDocument, validateDocument } from "../../bson/mod.ts";

/** Documents looked at between two pauses. */
const BATCH_ROWS = 256;

export interface CollectionVerification {
  /** Documents seen. */
  readonly documents: number;
  /** Documents that are no valid BSON, or lie under a key that is not theirs. */
  readonly invalidDocuments: number;
  /** What is wrong with documents, one line each. */
  readonly problems: readonly string[];
  /** All but that on _id. */
  readonly indexes: readonly IndexVerification[];
}

/**
 * @param isFull has SQLite check the pages of the table and its index too, in one piece
 * @param pause lets others run
 */
export async function verifyCollection(
  database: DatabaseSync,
  id: number,
  indexes: readonly IndexVerifier[],
  isFull: boolean,
  pause: () => Promise<void>,
): Promise<CollectionVerification> {
  const problems = isFull ? checkPages(database, id) : [];
  const next = database.prepare(
    `SELECT seq, key, doc FROM c${id} WHERE seq > ? ORDER BY seq LIMIT ${BATCH_ROWS}`,
  );
  const place = database.prepare(`SELECT seq FROM c${id} INDEXED BY c${id}_id WHERE key = ?`);
  let documents = 0;
  let invalidDocuments = 0;
  for (let last = 0;;) {
    const rows = next.all(last);
    const whole: { seq: number; document: RawDocument }[] = [];
    for (const row of rows) {
      const key = row["key"] as Uint8Array;
      last = row["seq"] as number;
      documents++;
      const wrong = wrongWithDocument(row["doc"] as Uint8Array, key);
      if (wrong !== undefined) {
        invalidDocuments++;
        problems.push(`document ${last}: ${wrong}`);
        continue;
      }
      whole.push({ seq: last, document: new RawDocument(row["doc"] as Uint8Array) });
      if (place.get(key)?.["seq"] !== last) {
        problems.push(`document ${last}: the index on _id does not lead to it`);
      }
    }
    for (const index of indexes) index.checkDocuments(whole);
    if (rows.length < BATCH_ROWS) break;
    await pause();
  }
  for (const index of indexes) await index.checkKeys(pause);
  return { documents, invalidDocuments, problems, indexes: indexes.map(({ result }) => result) };
}

function checkPages(database: DatabaseSync, id: number): string[] {
  return database.prepare(`PRAGMA integrity_check(c${id})`).all()
    .flatMap((row) => String(row["integrity_check"]).split("\n"))
    .filter((line) => line !== "ok");
}

/** What is wrong with the bytes of a document that lies under a key; undefined when nothing is. */
export function wrongWithDocument(bytes: Uint8Array, key: Uint8Array): string | undefined {
  try {
    const end = validateDocument(bytes, 0, bytes.length);
    if (end !== bytes.length) return `${bytes.length} bytes, its BSON ends after ${end}`;
    const same = compareBytes(encodeIndexKey(new RawDocument(bytes).get("_id")), key) === 0;
    return same ? undefined : "it does not lie under the key of its _id";
  } catch (error) {
    return String(error);
  }
}

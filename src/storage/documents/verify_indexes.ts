/** Compares the keys of a collection's indexes with its documents, a batch at a time, as others go on writing. */
import type { DatabaseSync } from "node:sqlite";
import { compareBytes, type Document, RawDocument } from "../../bson/mod.ts";
import { type IndexDefinition, keyDocument, keysOf } from "./index_definition.ts";
import { idDocument } from "./document_id.ts";

/** Entries looked at between two pauses. */
const BATCH_ROWS = 256;
/** Entries of a kind that are told of one index. */
const MAX_TOLD = 100;

/** An index and the number of its table. */
export interface VerifiedIndex {
  readonly definition: IndexDefinition;
  readonly number: number;
}

/** A key that an index lacks, or should not have. */
export interface IndexEntry {
  /** Where its document stands, or should. */
  readonly seq: number;
  readonly bytes: Uint8Array;
  /** Of a key that is missing, its document's _id and its values. */
  readonly id?: Document;
  readonly key?: Document;
}

export interface IndexVerification {
  readonly name: string;
  /** Those that it has. */
  readonly keys: number;
  readonly missing: number;
  readonly extra: number;
  /** The first ones. */
  readonly missingEntries: readonly IndexEntry[];
  readonly extraEntries: readonly IndexEntry[];
}

/** Gathers what is found of one index. */
export class IndexVerifier {
  private keys = 0;
  private missing = 0;
  private extra = 0;
  private readonly missingEntries: IndexEntry[] = [];
  private readonly extraEntries: IndexEntry[] = [];

  /** @param isThere whether the index has not been dropped meanwhile */
  constructor(
    private readonly database: DatabaseSync,
    private readonly id: number,
    private readonly table: VerifiedIndex,
    private readonly isThere: () => boolean,
  ) {}

  /** Looks for the keys of documents that were just read. */
  checkDocuments(rows: readonly { readonly seq: number; readonly document: RawDocument }[]): void {
    if (!this.isThere()) return;
    const { definition } = this.table;
    const entry = this.database.prepare(
      `SELECT 1 FROM ${this.name} WHERE key = ? AND seq = ? AND types IS ?`,
    );
    for (const { seq, document } of rows) {
      for (const { bytes, types, values } of keysOf(definition, document).keys) {
        if (entry.get(bytes, seq, types) !== undefined) continue;
        this.missing++;
        if (this.missingEntries.length === MAX_TOLD) continue;
        const key = keyDocument(definition, values);
        this.missingEntries.push({ seq, bytes, id: idDocument(document), key });
      }
    }
  }

  /** Looks for the documents of all keys. */
  async checkKeys(pause: () => Promise<void>): Promise<void> {
    let [key, seq]: readonly [Uint8Array, number] = [new Uint8Array(), -1];
    while (this.isThere()) {
      const rows = this.database.prepare(
        `SELECT i.key AS key, i.seq AS seq, c.doc AS doc FROM ${this.name} i LEFT JOIN c${this.id} c ON c.seq = i.seq ` +
          `WHERE (i.key, i.seq) > (?, ?) ORDER BY i.key, i.seq LIMIT ${BATCH_ROWS}`,
      ).all(key, seq);
      for (const row of rows) {
        key = row["key"] as Uint8Array;
        seq = Number(row["seq"]);
        this.keys++;
        if (this.belongs(key, row["doc"] as Uint8Array | null)) continue;
        this.extra++;
        if (this.extraEntries.length < MAX_TOLD) this.extraEntries.push({ seq, bytes: key });
      }
      if (rows.length < BATCH_ROWS) return;
      await pause();
    }
  }

  get result(): IndexVerification {
    const { keys, missing, extra, missingEntries, extraEntries } = this;
    return { name: this.table.definition.name, keys, missing, extra, missingEntries, extraEntries };
  }

  private get name(): string {
    return `i${this.id}_${this.table.number}`;
  }

  private belongs(key: Uint8Array, doc: Uint8Array | null): boolean {
    if (doc === null) return false;
    return keysOf(this.table.definition, new RawDocument(doc)).keys.some(({ bytes }) =>
      compareBytes(bytes, key) === 0
    );
  }
}

/**
 * Documents as they were, for as long as a snapshot is open that is older than their change. SQLite holds the newest only:
 * before a commit changes a document, what it was is kept here, in memory, together with the commit's log index. Without
 * a snapshot nothing is kept.
 */
import { assert } from "../../base/mod.ts";
import { encodeIndexKey, type RawDocument } from "../../bson/mod.ts";
import type { Effect } from "./effect.ts";
import { idOf } from "./document_id.ts";
import { type StoredRow, withOwnMemory } from "./stored_row.ts";

/** The text of a key that finds documents in maps; one byte a character. */
export type KeyText = string;

/** A document as a snapshot has it; null where it has none. */
export type Version = StoredRow | null;

/** A document before an effect changes it. */
export interface ReplacedDocument {
  readonly collectionId: number;
  /** As it will be, or its _id. */
  readonly document: RawDocument;
  readonly old: StoredRow | undefined;
}

interface KeptVersion {
  /** The commit that changed it. */
  readonly until: number;
  readonly version: Version;
}

/** What is kept beside a document's bytes, in bytes; a guess. */
const OVERHEAD_BYTES = 200;

export class DocumentVersions {
  /** Open snapshots: how many there are at each log index. */
  private readonly snapshots = new Map<number, number>();
  /** By collection and key, the oldest first. */
  private readonly collections = new Map<number, Map<KeyText, KeptVersion[]>>();
  private bytes = 0;

  /** Whether a commit has to note what it changes. */
  get isWatched(): boolean {
    return this.snapshots.size > 0;
  }

  /** What is kept takes about so many bytes. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** Opens a snapshot of all commits up to a log index. */
  open(index: number): void {
    this.snapshots.set(index, (this.snapshots.get(index) ?? 0) + 1);
  }

  close(index: number): void {
    const open = this.snapshots.get(index);
    assert(open !== undefined, "a snapshot is closed once");
    if (open > 1) this.snapshots.set(index, open - 1);
    else this.snapshots.delete(index);
    if (open === 1) this.forget();
  }

  /** Effects are about to be committed. @param find gives what is committed before them */
  noteAll(
    effects: readonly Effect[],
    index: number,
    find: (collectionId: number, key: Uint8Array) => StoredRow | undefined,
  ): void {
    for (const { collectionId, document } of effects) {
      const key = encodeIndexKey(idOf(document));
      this.note(collectionId, keyText(key), find(collectionId, key) ?? null, index);
    }
  }

  /** As `noteAll`, where it is known already what is there. */
  noteReplaced(replaced: readonly ReplacedDocument[], index: number): void {
    for (const { collectionId, document, old } of replaced) {
      const version = old === undefined ? null : withOwnMemory(old);
      this.note(collectionId, keyText(encodeIndexKey(idOf(document))), version, index);
    }
  }

  /** The document under the key is about to be changed by a commit. */
  private note(collectionId: number, key: KeyText, version: Version, index: number): void {
    let keys = this.collections.get(collectionId);
    if (keys === undefined) this.collections.set(collectionId, keys = new Map());
    const kept = keys.get(key) ?? [];
    if (kept.at(-1)?.until === index) return;
    kept.push({ until: index, version });
    keys.set(key, kept);
    this.bytes += sizeOf(version);
  }

  /** The document at a snapshot; undefined where it has not changed since. */
  at(collectionId: number, key: KeyText, snapshot: number): Version | undefined {
    const kept = this.collections.get(collectionId)?.get(key);
    return kept && versionAt(kept, snapshot);
  }

  /** Visits all documents that have changed since a snapshot, as they are there. */
  changedSince(
    collectionId: number,
    snapshot: number,
    visit: (key: KeyText, version: Version) => void,
  ): void {
    this.collections.get(collectionId)?.forEach((kept, key) => {
      const found = versionAt(kept, snapshot);
      if (found !== undefined) visit(key, found);
    });
  }

  /** Whether `changedSince` visits any. */
  hasChangedSince(collectionId: number, snapshot: number): boolean {
    for (const kept of this.collections.get(collectionId)?.values() ?? []) {
      if (versionAt(kept, snapshot) !== undefined) return true;
    }
    return false;
  }

  drop(collectionId: number): void {
    for (const kept of this.collections.get(collectionId)?.values() ?? []) this.release(kept);
    this.collections.delete(collectionId);
  }

  /** Lets go of what no snapshot can see. */
  private forget(): void {
    const oldest = Math.min(...this.snapshots.keys());
    for (const [id, keys] of this.collections) {
      for (const [key, kept] of keys) {
        if (kept[0]!.until > oldest) continue;
        const needed = kept.filter(({ until }) => until > oldest);
        this.release(kept.filter(({ until }) => until <= oldest));
        if (needed.length === 0) keys.delete(key);
        else keys.set(key, needed);
      }
      if (keys.size === 0) this.collections.delete(id);
    }
  }

  private release(kept: readonly KeptVersion[]): void {
    for (const { version } of kept) this.bytes -= sizeOf(version);
  }
}

/** @param kept of one document, the oldest first */
function versionAt(kept: readonly KeptVersion[], snapshot: number): Version | undefined {
  for (const { until, version } of kept) if (until > snapshot) return version;
  return undefined;
}

function sizeOf(version: Version): number {
  return OVERHEAD_BYTES + (version?.doc.length ?? 0);
}

/** Keys are short. */
export function keyText(key: Uint8Array): KeyText {
  let text = "";
  for (let i = 0; i < key.length; i++) text += String.fromCharCode(key[i]!);
  return text;
}

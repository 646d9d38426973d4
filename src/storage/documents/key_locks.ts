/** Which documents, and which keys of unique indexes, belong to an open transaction. */
import { encodeIndexKey, type RawDocument } from "../../bson/mod.ts";
import { keyText } from "./document_versions.ts";
import { keysOf } from "./index_definition.ts";
import type { IndexState } from "./index_tables.ts";
import { writeConflict } from "./write_conflict.ts";
import { idOf } from "./document_id.ts";

/** Collection, index and the key's text. */
export type LockName = readonly [number, string, string];

/** A transaction is whatever object stands for it. */
export class KeyLocks {
  private readonly owners = new Map<string, object>();
  private readonly held = new Map<object, Holder>();

  /** @throws CommandError WriteConflict when another transaction has it */
  take(transaction: object, name: LockName): void {
    const text = textOf(name);
    const owner = this.owners.get(text);
    if (owner === transaction) return;
    if (owner !== undefined) throw writeConflict();
    this.owners.set(text, transaction);
    let holder = this.held.get(transaction);
    if (holder === undefined) this.held.set(transaction, holder = new Holder());
    holder.names.push(text);
  }

  /** The transaction ends; who waits for it may go on. */
  release(transaction: object): void {
    const holder = this.held.get(transaction);
    if (holder === undefined) return;
    this.held.delete(transaction);
    for (const name of holder.names) this.owners.delete(name);
    holder.free();
  }

  /**
   * Resolves when the transaction ends that has a document, or a key of a unique index, which a write is about to take;
   * undefined where none has.
   *
   * @param document as it will be, or the one that goes
   */
  blocking(id: number, document: RawDocument, indexes: readonly IndexState[]): Promise<void> | undefined {
    if (this.owners.size === 0) return undefined;
    const blocked = this.freed([id, "_id_", keyText(encodeIndexKey(idOf(document)))]);
    if (blocked !== undefined) return blocked;
    for (const { definition } of indexes) {
      if (!definition.refusesDuplicates) continue;
      for (const { bytes } of keysOf(definition, document).keys) {
        const taken = this.freed([id, definition.name, keyText(bytes)]);
        if (taken !== undefined) return taken;
      }
    }
    return undefined;
  }

  private freed(name: LockName): Promise<void> | undefined {
    const owner = this.owners.get(textOf(name));
    return owner && this.held.get(owner)!.freed;
  }
}

class Holder {
  readonly names: string[] = [];
  readonly freed: Promise<void>;
  free = () => {};

  constructor() {
    this.freed = new Promise((resolve) => this.free = resolve);
  }
}

function textOf([collectionId, index, key]: LockName): string {
  return `${collectionId}.${index}.${key}`;
}

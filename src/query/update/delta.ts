/**
 * What an update changed, as paths, in the order in which it was noted: the values are those of the document as it is then.
 */

/** One change. The parts of a path are names of fields, and places in arrays. */
export interface FieldChange {
  /**
   * `update`: a field of a document has another value; `insert`: it is new; `remove`: it is gone. `element`: an element of an
   * array has another value, or is new; `truncate`: an array has fewer elements.
   */
  readonly kind: "update" | "insert" | "remove" | "element" | "truncate";
  readonly path: readonly string[];
}

export type Delta = readonly FieldChange[];

/** Gathers changes. */
export class DeltaBuilder {
  private readonly changes: FieldChange[] = [];

  note(kind: FieldChange["kind"], path: readonly string[]): void {
    this.changes.push({ kind, path });
  }

  /** Takes over what another one holds. */
  add(other: DeltaBuilder): void {
    for (const change of other.changes) this.changes.push(change);
  }

  build(): Delta {
    return this.changes;
  }
}

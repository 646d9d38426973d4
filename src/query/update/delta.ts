/**
 * What an update changed, as paths: the values are those of the document as it is then. In MongoDB's order: of each document
 * first the fields that had a value, then the new ones, then what changed inside of fields.
 */

/** One change. The parts of a path are names of fields, and places in arrays. */
export interface FieldChange {
  readonly kind: "set" | "remove" | "truncate";
  readonly path: readonly string[];
}

export type Delta = readonly FieldChange[];

/** Changes below one path. */
interface Changes {
  readonly own: FieldChange[];
  readonly inserts: FieldChange[];
  readonly inside: Map<string, Changes>;
}

export class DeltaBuilder {
  private readonly root = noChanges();

  /** A field of a document has another value. */
  update(path: readonly string[]): void {
    this.holderOf(path).own.push({ kind: "set", path });
  }

  /** A field of a document is new. */
  insert(path: readonly string[]): void {
    this.holderOf(path).inserts.push({ kind: "set", path });
  }

  remove(path: readonly string[]): void {
    this.holderOf(path).own.push({ kind: "remove", path });
  }

  /** An element of an array has another value, or is new. */
  element(path: readonly string[]): void {
    this.at(path).own.push({ kind: "set", path });
  }

  /** An array has fewer elements; the path is its own. */
  truncate(path: readonly string[]): void {
    this.at(path).own.push({ kind: "truncate", path });
  }

  /** Takes over what another one holds. */
  add(other: DeltaBuilder): void {
    merge(this.root, other.root);
  }

  build(): Delta {
    return changesIn(this.root);
  }

  /** What is said of the document that holds the field at the end of a path. */
  private holderOf(path: readonly string[]): Changes {
    return this.at(path.slice(0, -1));
  }

  private at(path: readonly string[]): Changes {
    let changes = this.root;
    for (const part of path) {
      let next = changes.inside.get(part);
      if (next === undefined) changes.inside.set(part, next = noChanges());
      changes = next;
    }
    return changes;
  }
}

function noChanges(): Changes {
  return { own: [], inserts: [], inside: new Map() };
}

function merge(into: Changes, from: Changes): void {
  into.own.push(...from.own);
  into.inserts.push(...from.inserts);
  for (const [part, changes] of from.inside) {
    const present = into.inside.get(part);
    if (present === undefined) into.inside.set(part, changes);
    else merge(present, changes);
  }
}

function changesIn({ own, inserts, inside }: Changes): FieldChange[] {
  return [...own, ...inserts, ...[...inside.values()].flatMap(changesIn)];
}

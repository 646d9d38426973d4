/**
 * An update as MongoDB's oplog has it, which `showRawUpdateDescription` asks for: {$v: 2, diff}. A diff of a document is
 *
 *     {d: {name: false, …}, u: {name: value, …}, i: {name: value, …}, s<name>: diff, …}
 *
 * with what is gone, has another value, is new, and changed inside; that of an array, in the order of its places,
 *
 *     {a: true, l: length, u<place>: value, s<place>: diff, …}
 *
 * with its length where that has become less.
 */
import { BuiltDocument, Document, DocumentBuilder, Int32, isArray, type Value } from "../../bson/mod.ts";
import type { FieldChange } from "../../storage/mod.ts";

const FORMAT = Int32.of(2);

/** What the update that made `document` changed. */
export function rawUpdateDescription(document: Document, changes: readonly FieldChange[]): Document {
  const root = new Diff(document);
  for (const change of changes) root.add(change, 0);
  return new BuiltDocument(["$v", "diff"], [FORMAT, root.build()]);
}

/** The changes in one document or array. */
class Diff {
  private readonly removed: string[] = [];
  private readonly updated: string[] = [];
  private readonly inserted: string[] = [];
  private readonly inside = new Map<string, Diff>();
  private isTruncated = false;

  /** @param holder as it is after the update */
  constructor(private readonly holder: Value) {}

  /** @param depth how many parts of the change's path lead here */
  add(change: FieldChange, depth: number): void {
    const { kind, path } = change;
    const name = path[depth];
    if (name === undefined) {
      this.isTruncated = true;
    } else if (depth < path.length - 1 || kind === "truncate") {
      let diff = this.inside.get(name);
      if (diff === undefined) this.inside.set(name, diff = new Diff(childOf(this.holder, name)));
      diff.add(change, depth + 1);
    } else if (kind === "remove") {
      this.removed.push(name);
    } else {
      (kind === "insert" ? this.inserted : this.updated).push(name);
    }
  }

  build(): Document {
    return isArray(this.holder) ? this.arrayDiff(this.holder) : this.documentDiff();
  }

  private documentDiff(): Document {
    const diff = new DocumentBuilder();
    if (this.removed.length > 0) diff.append("d", fields(this.removed, () => false));
    for (const [kind, names] of [["u", this.updated], ["i", this.inserted]] as const) {
      if (names.length > 0) diff.append(kind, fields(names, (name) => childOf(this.holder, name)));
    }
    for (const [name, inside] of this.inside) diff.append(`s${name}`, inside.build());
    return diff.build();
  }

  private arrayDiff(array: readonly Value[]): Document {
    const diff = new DocumentBuilder().append("a", true);
    if (this.isTruncated) diff.append("l", Int32.of(array.length));
    const places = [...this.updated, ...this.inserted, ...this.inside.keys()];
    for (const place of places.sort((a, b) => Number(a) - Number(b))) {
      const inside = this.inside.get(place);
      diff.append(`${inside === undefined ? "u" : "s"}${place}`, inside?.build() ?? array[Number(place)]);
    }
    return diff.build();
  }
}

function fields(names: readonly string[], valueOf: (name: string) => Value): Document {
  return new BuiltDocument(names, names.map(valueOf));
}

function childOf(value: Value, name: string): Value {
  if (value instanceof Document) return value.get(name);
  return isArray(value) ? value[Number(name)] : undefined;
}

/**
 * Finds a document's shape in one walk over its bytes: a trie whose edges are fields.
 *
 *     Leaf   a field that is one value        Time, Meta   the table's own fields
 *     Open   a field that is a document,      Close        its end
 *            not empty and not too deep       End, Left    the end of the whole document: here stands a shape,
 *                                                          one without and one with a remainder
 *
 * Documents of one source have one shape, so nearly every step compares one name with the bytes at hand. What a walk
 * passes is noted (`columns`, `types`, `starts`, `ends`) for the writer of columns, which runs only once the whole
 * document is known to have a shape.
 *
 * A top-level field for which there is no place goes to the remainder, and the walk goes on behind it. There is none
 * when the trie or one of its nodes is full, and when the field would need a column of its own and has not earned it:
 * the first columns are free, further ones are for names that one row in some had so far, and the table has no more
 * than its limit. So a document with a few of ten thousand fields keeps its common ones in columns. No shape
 * (`WHOLE`) has a document with a name twice; such rows are kept whole.
 */
import { MAX_SHAPE_PLACES, MAX_SHREDDED_DEPTH, MAX_TABLE_COLUMNS } from "../../base/mod.ts";
import { BsonType, skipElement, valueSize } from "../../bson/mod.ts";
import { grownInt32, type MemoryAccount, sizeOfType, viewOf } from "../../column/mod.ts";
import { matchName } from "./match_name.ts";
import { RemainderWriter } from "./remainder.ts";
import {
  FIRST_COLUMN_ITEM,
  META_ITEM,
  Path,
  REMAINDER_KEY,
  Shape,
  type TableNames,
  TIME_ITEM,
  WHOLE,
} from "./shape.ts";

const Kind = { Root: 0, Leaf: 1, Time: 2, Meta: 3, Open: 4, Close: 5, End: 6, Left: 7 } as const;
const NONE = -1;
/** The document has the name already. */
const TWICE = -2;
const ROOT = 0;
const INITIAL_NODES = 16;
/** Bytes a name takes, for a start. */
const INITIAL_NAME_BYTES = 8;
const EMPTY_DOCUMENT_BYTES = 5;
/** Branches at one place, so that a walk stays short. */
const MAX_BRANCHES = 64;
/** Columns that are there for the asking, of `MAX_TABLE_COLUMNS`. */
const FREE_COLUMNS = 64;
/** One row in so many has to have a field that earns columns. */
const EARNING_SHARE = 64;
/** Names without a column whose rows are counted; beyond them counting starts anew. */
const MAX_COUNTED_NAMES = 16_384;
/** About what a node and its share of a shape take in memory. */
const NODE_BYTES = 64;

/** What a walk notes, used before the next one: one for all tries. */
const WALK = {
  columns: new Int32Array(MAX_TABLE_COLUMNS),
  types: new Uint8Array(MAX_TABLE_COLUMNS),
  starts: new Int32Array(MAX_TABLE_COLUMNS),
  ends: new Int32Array(MAX_TABLE_COLUMNS),
};

/** Of a trie that has left no field out so far: most never do. */
const NO_REMAINDER = new RemainderWriter();

export class ShapeTrie {
  /** Shapes by number; `WHOLE` has none. */
  readonly shapes: (Shape | undefined)[] = [undefined];
  readonly paths: Path[] = [];
  /** Of the last walk: values in columns. */
  valueCount = 0;
  readonly columns = WALK.columns;
  readonly types = WALK.types;
  readonly starts = WALK.starts;
  readonly ends = WALK.ends;
  /** Of the last walk: the fields without a column. */
  remainder = NO_REMAINDER;
  /** The remainder's column, once there is one. */
  remainderColumn = NONE;
  /** Of the last walk: the type of the time's value, 0 when there is none, and where it starts. */
  timeType = 0;
  timeStart = 0;
  /** Of the last walk: the meta; type 0 when there is none. */
  metaType = 0;
  metaStart = 0;
  metaEnd = 0;

  private nodeCount = 1;
  private kinds = new Uint8Array(INITIAL_NODES);
  private parents: Int32Array = new Int32Array(INITIAL_NODES);
  private children: Int32Array = new Int32Array(INITIAL_NODES).fill(NONE, 0, 1);
  private siblings: Int32Array = new Int32Array(INITIAL_NODES).fill(NONE, 0, 1);
  private nameStarts: Int32Array = new Int32Array(INITIAL_NODES);
  /** The column of a leaf, the shape of an end. */
  private numbers: Int32Array = new Int32Array(INITIAL_NODES);
  private nameEnds: Int32Array = new Int32Array(INITIAL_NODES);
  /** Top-level fields up to a node, itself included. */
  private topCounts: Int32Array = new Int32Array(INITIAL_NODES);
  /** Branches of a node that are fields and no time or meta. */
  private branches = new Uint8Array(INITIAL_NODES);
  private walks = 0;
  /** Names of nodes as texts, where they were asked for. */
  private readonly nameTexts: string[] = [];
  /** In how many walks each top-level name found no column. */
  private readonly misses = new Map<string, number>();
  private names = new Uint8Array(INITIAL_NODES * INITIAL_NAME_BYTES);
  private namesView = viewOf(this.names);
  private namesLength = 0;
  private readonly columnOfPath = new Map<string, number>();
  private readonly shapeOfItems = new Map<string, number>();
  private readonly timeName: Uint8Array;
  private readonly metaName: Uint8Array | undefined;

  constructor(private readonly tableNames: TableNames, private readonly account: MemoryAccount) {
    this.timeName = new TextEncoder().encode(`${tableNames.time.text}\0`);
    if (tableNames.meta !== undefined) this.metaName = new TextEncoder().encode(`${tableNames.meta.text}\0`);
  }

  /**
   * The number of the shape of the document at `start`, learned if it is new; `WHOLE` when it cannot have one.
   * The document is valid.
   */
  match(bytes: Uint8Array, view: DataView, start: number): number {
    this.valueCount = 0;
    this.timeType = 0;
    this.metaType = 0;
    this.metaStart = 0;
    this.metaEnd = 0;
    this.walks++;
    if (this.remainder.count > 0) this.remainder.reset();
    let at = start + 4;
    let depth = 0;
    let node = ROOT;
    // Where the walk stood before the top-level field that it is in.
    let topNode = node;
    let topAt = at;
    let topValues = 0;
    for (;;) {
      at = this.walkLikely(node, view, at);
      node = this.likely;
      const type = bytes[at]!;
      if (type === 0) {
        if (depth === 0) return this.finish(node);
        node = this.step(node, Kind.Close);
        depth--;
        at++;
        continue;
      }
      if (depth === 0) {
        topNode = node;
        topAt = at;
        topValues = this.valueCount;
      }
      const nested = type === BsonType.Object && depth < MAX_SHREDDED_DEPTH;
      const next = this.stepInto(node, bytes, view, at + 1, nested, depth);
      if (next === TWICE) return WHOLE;
      if (next === NONE) {
        node = topNode;
        at = this.leave(node, bytes, topAt);
        this.valueCount = topValues;
        depth = 0;
        continue;
      }
      node = next;
      at = this.valueAt;
      if (this.kinds[node] === Kind.Open) {
        depth++;
        at += 4;
      } else {
        at = this.note(node, type, bytes, at);
      }
    }
  }

  /** A document went another way than a walk, and left nothing out. */
  noteWalk(): void {
    this.walks++;
  }

  /** Leaves the top-level field at `at` to the remainder; returns where the next one starts. */
  private leave(node: number, bytes: Uint8Array, at: number): number {
    const end = skipElement(bytes, at);
    const name = latin1(bytes, at + 1);
    if (this.remainder === NO_REMAINDER) this.remainder = new RemainderWriter();
    this.remainder.add(name, bytes.subarray(at, end), this.topCounts[node]!);
    if (this.misses.size === MAX_COUNTED_NAMES) this.misses.clear();
    this.misses.set(name, (this.misses.get(name) ?? 0) + 1);
    return end;
  }

  /** The shape of a document that ends after `node`. */
  private finish(node: number): number {
    const isComplete = this.remainder.count === 0;
    const end = this.step(node, isComplete ? Kind.End : Kind.Left);
    const shape = this.numbers[end]!;
    if (isComplete) return shape;
    return this.hasNameTwice(node) ? WHOLE : shape;
  }

  /** Whether a name of the remainder comes again, there or among the top-level fields that end at `node`. */
  private hasNameTwice(node: number): boolean {
    const { remainder: { count, names: leftNames }, topCounts } = this;
    if (leftNames.size < count) return true;
    for (let above = node; above !== ROOT; above = this.parents[above]!) {
      if (topCounts[above] === topCounts[this.parents[above]!]) continue;
      if (leftNames.has(this.nameTexts[above] ??= latin1(this.names, this.nameStarts[above]!))) return true;
    }
    return false;
  }

  /** Set by `walkLikely`: the last field it came to. */
  private likely = ROOT;

  /**
   * Goes on while each field is the likeliest one at its place: a leaf of a fixed size or a string, a date as the time,
   * a document as the meta. Returns where it stopped. Does nothing that the slower steps could not do: nearly all fields
   * pass here, in one loop without calls.
   */
  private walkLikely(node: number, view: DataView, at: number): number {
    const { children, kinds, nameStarts, nameEnds, namesView, numbers } = this;
    let count = this.valueCount;
    for (;;) {
      const child = children[node]!;
      if (child === NONE) break;
      const kind = kinds[child]!;
      const type = view.getUint8(at);
      const size = sizeOfType(type);
      const text = type === BsonType.String;
      if (kind === Kind.Leaf ? size < 0 && !text : !isOwnField(kind, type)) break;
      const start = matchName(namesView, nameStarts[child]!, nameEnds[child]!, view, at + 1);
      if (start < 0) break;
      node = child;
      if (kind === Kind.Leaf) {
        const length = text ? view.getInt32(start, true) : size;
        WALK.columns[count] = numbers[child]!;
        WALK.types[count] = type;
        WALK.starts[count] = text ? start + 4 : start;
        WALK.ends[count] = text ? start + 3 + length : start + length;
        at = text ? start + 4 + length : start + length;
        count++;
      } else if (kind === Kind.Time) {
        this.timeType = type;
        this.timeStart = start;
        at = start + size;
      } else {
        this.metaType = type;
        this.metaStart = start;
        at = this.metaEnd = start + view.getInt32(start, true);
      }
    }
    this.valueCount = count;
    this.likely = node;
    return at;
  }

  /** Set by `stepInto`: where the value starts. */
  private valueAt = 0;

  /** Notes the value of a field; returns where the next one starts. */
  private note(node: number, type: number, bytes: Uint8Array, at: number): number {
    const size = sizeOfType(type);
    const end = at + (size < 0 ? valueSize(bytes, type as BsonType, at) : size);
    switch (this.kinds[node]) {
      case Kind.Time:
        this.timeType = type;
        this.timeStart = at;
        return end;
      case Kind.Meta:
        this.metaType = type;
        this.metaStart = at;
        this.metaEnd = end;
        return end;
    }
    const index = this.valueCount++;
    const text = type === BsonType.String;
    this.columns[index] = this.numbers[node]!;
    this.types[index] = type;
    this.starts[index] = text ? at + 4 : at;
    this.ends[index] = text ? end - 1 : end;
    return end;
  }

  /** The node after `node` for the field whose name starts at `at`; `NONE` when there can be none. */
  private stepInto(
    node: number,
    bytes: Uint8Array,
    view: DataView,
    at: number,
    isObject: boolean,
    depth: number,
  ): number {
    const { namesView, nameStarts, nameEnds, siblings, kinds } = this;
    for (let child = this.children[node]!; child !== NONE; child = siblings[child]!) {
      const valueAt = matchName(namesView, nameStarts[child]!, nameEnds[child]!, view, at);
      const kind = kinds[child]!;
      if (valueAt < 0 || kind >= Kind.Close) continue;
      if (kind !== Kind.Time && kind !== Kind.Meta) {
        const opens = isObject && !isEmptyDocument(bytes, valueAt);
        if (opens !== (kind === Kind.Open)) continue;
      }
      this.valueAt = valueAt;
      return child;
    }
    return this.learn(node, bytes, at, isObject, depth);
  }

  /** The end of a document after `node`. Ends need no room: there are no more of them than nodes before them. */
  private step(node: number, kind: typeof Kind.Close | typeof Kind.End | typeof Kind.Left): number {
    for (let child = this.children[node]!; child !== NONE; child = this.siblings[child]!) {
      if (this.kinds[child] === kind) return child;
    }
    const added = this.addNode(node, kind);
    if (kind !== Kind.Close) {
      const items = this.itemsOf(added);
      if (kind === Kind.Left) items.push(this.columnOfRemainder() + FIRST_COLUMN_ITEM);
      this.numbers[added] = this.shapeOf(items);
    }
    return added;
  }

  /** The number of the shape with these items. */
  shapeOf(items: readonly number[]): number {
    const key = items.join();
    const known = this.shapeOfItems.get(key);
    if (known !== undefined) return known;
    this.account.bytes += items.length * NODE_BYTES;
    const shape = this.shapes.push(new Shape(items, this.paths, this.tableNames)) - 1;
    this.shapeOfItems.set(key, shape);
    return shape;
  }

  /** The column of a path that has one in another trie, or here. */
  columnOf(key: string): number {
    if (key === REMAINDER_KEY) return this.columnOfRemainder();
    return this.columnOfPath.get(key) ?? this.addColumn(key);
  }

  private addColumn(key: string): number {
    this.columnOfPath.set(key, this.paths.length);
    return this.paths.push(new Path(key)) - 1;
  }

  private columnOfRemainder(): number {
    if (this.remainderColumn === NONE) this.remainderColumn = this.paths.push(new Path(REMAINDER_KEY)) - 1;
    return this.remainderColumn;
  }

  private learn(node: number, bytes: Uint8Array, at: number, isObject: boolean, depth: number): number {
    let end = at;
    while (bytes[end] !== 0) end++;
    const name = bytes.subarray(at, end + 1);
    this.valueAt = end + 1;
    const kind = this.kindOf(name, depth, isObject && !isEmptyDocument(bytes, end + 1));
    const isField = kind === Kind.Leaf || kind === Kind.Open;
    if (isField && !this.hasRoom(node)) return NONE;
    let column = 0;
    if (kind === Kind.Leaf) {
      column = this.columnFor(depth === 0 ? [] : this.openNames(node), latin1(bytes, at));
      if (column === NONE) return NONE;
    }
    if (this.isNameTaken(node, name)) return TWICE;
    if (isField) this.branches[node]!++;
    const added = this.addNode(node, kind);
    if (depth === 0) this.topCounts[added]!++;
    this.setName(added, name);
    this.numbers[added] = column;
    return added;
  }

  private kindOf(name: Uint8Array, depth: number, opens: boolean): number {
    if (depth === 0 && equalBytes(name, this.timeName)) return Kind.Time;
    if (depth === 0 && this.metaName !== undefined && equalBytes(name, this.metaName)) return Kind.Meta;
    return opens ? Kind.Open : Kind.Leaf;
  }

  /** Whether the document that `node` stands in has a field of that name already. */
  private isNameTaken(node: number, name: Uint8Array): boolean {
    let closed = 0;
    for (let above = node; above !== ROOT; above = this.parents[above]!) {
      const kind = this.kinds[above]!;
      if (kind === Kind.Close) {
        closed++;
        continue;
      }
      if (kind === Kind.Open) {
        if (closed === 0) return false;
        closed--;
      }
      if (closed === 0 && equalBytes(this.nameOf(above), name)) return true;
    }
    return false;
  }

  private hasRoom(node: number): boolean {
    return this.branches[node]! < MAX_BRANCHES && this.nodeCount < MAX_SHAPE_PLACES;
  }

  /** The column of a field in the documents named by `above`, from the top down; `NONE` when there can be none. */
  private columnFor(above: readonly string[], name: string): number {
    const key = above.length === 0 ? name : `${above.join("\0")}\0${name}`;
    const known = this.columnOfPath.get(key);
    if (known !== undefined) return known;
    return this.mayAddColumn(key) ? this.addColumn(key) : NONE;
  }

  /** One column stays free for the remainder. */
  private mayAddColumn(key: string): boolean {
    if (this.paths.length < FREE_COLUMNS) return true;
    const isFull = this.paths.length >= MAX_TABLE_COLUMNS - (this.remainderColumn === NONE ? 1 : 0);
    return !isFull && (this.misses.get(key.split("\0", 1)[0]!) ?? 0) * EARNING_SHARE >= this.walks;
  }

  /** The names of the documents that are open at `node`, from the top down. */
  private openNames(node: number): string[] {
    const names: string[] = [];
    let closed = 0;
    for (let above = node; above !== ROOT; above = this.parents[above]!) {
      if (this.kinds[above] === Kind.Close) closed++;
      if (this.kinds[above] !== Kind.Open) continue;
      if (closed > 0) {
        closed--;
      } else {
        names.unshift(latin1(this.names, this.nameStarts[above]!));
      }
    }
    return names;
  }

  private itemsOf(end: number): number[] {
    const items: number[] = [];
    for (let node = end; node !== ROOT; node = this.parents[node]!) {
      switch (this.kinds[node]) {
        case Kind.Leaf:
          items.push(this.numbers[node]! + FIRST_COLUMN_ITEM);
          break;
        case Kind.Time:
          items.push(TIME_ITEM);
          break;
        case Kind.Meta:
          items.push(META_ITEM);
          break;
      }
    }
    return items.reverse();
  }

  /** New branches come last: what came first is the likeliest. */
  private addNode(parent: number, kind: number): number {
    const node = this.nodeCount++;
    if (node === this.kinds.length) this.growNodes();
    this.account.bytes += NODE_BYTES;
    this.kinds[node] = kind;
    this.parents[node] = parent;
    this.topCounts[node] = this.topCounts[parent]!;
    this.children[node] = NONE;
    this.siblings[node] = NONE;
    let last = this.children[parent]!;
    if (last === NONE) {
      this.children[parent] = node;
      return node;
    }
    while (this.siblings[last]! !== NONE) last = this.siblings[last]!;
    this.siblings[last] = node;
    return node;
  }

  /** The name of a node's field with its zero byte. */
  private nameOf(node: number): Uint8Array {
    return this.names.subarray(this.nameStarts[node]!, this.nameEnds[node]!);
  }

  private setName(node: number, name: Uint8Array): void {
    const start = this.namesLength;
    this.namesLength += name.length;
    if (this.namesLength > this.names.length) {
      const grown = new Uint8Array(Math.max(this.names.length * 2, this.namesLength));
      grown.set(this.names);
      this.names = grown;
      this.namesView = viewOf(grown);
    }
    this.names.set(name, start);
    this.nameStarts[node] = start;
    this.nameEnds[node] = this.namesLength;
  }

  private growNodes(): void {
    const length = this.kinds.length * 2;
    const kinds = new Uint8Array(length);
    kinds.set(this.kinds);
    this.kinds = kinds;
    this.parents = grownInt32(this.parents, length);
    this.children = grownInt32(this.children, length);
    this.siblings = grownInt32(this.siblings, length);
    this.nameStarts = grownInt32(this.nameStarts, length);
    this.nameEnds = grownInt32(this.nameEnds, length);
    this.numbers = grownInt32(this.numbers, length);
    this.topCounts = grownInt32(this.topCounts, length);
    const branches = new Uint8Array(length);
    branches.set(this.branches);
    this.branches = branches;
  }
}

/** Whether a value is what the table's own fields mostly have. */
function isOwnField(kind: number, type: number): boolean {
  return kind === Kind.Time ? type === BsonType.Date : kind === Kind.Meta && type === BsonType.Object;
}

function isEmptyDocument(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === EMPTY_DOCUMENT_BYTES && bytes[at + 1] === 0 && bytes[at + 2] === 0 &&
    bytes[at + 3] === 0;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The name at `at`, up to its zero byte, a character a byte. */
function latin1(bytes: Uint8Array, at: number): string {
  let text = "";
  for (; bytes[at] !== 0; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

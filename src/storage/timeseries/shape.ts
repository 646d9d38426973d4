/**
 * The shape of a row: which fields it has, in which order, and the column each value lies in.
 *
 * It is a list of items, one a leaf in the order of the document:
 *
 *     0       the timeField
 *     1       the metaField
 *     c + 2   column c, whose path says where the leaf stands
 *
 * Paths are the names from the top down, so `{a: {b: 1, c: 2}, d: 3}` has the paths a·b, a·c, d. Neighbours with a common
 * beginning share the documents of it; no name comes twice in one document and no shredded document is empty, so the
 * list gives back exactly one document. Rows for which that does not hold are kept whole (see `shape_trie.ts`).
 *
 * Top-level fields without a column of their own stand together in the remainder (`remainder.ts`), a column like any
 * other; its item, if a shape has it, is the last one.
 */
import { MAX_SHREDDED_DEPTH } from "../../base/mod.ts";
import { readText } from "../../bson/mod.ts";

/** Items that are no column. */
export const TIME_ITEM = 0;
export const META_ITEM = 1;
export const FIRST_COLUMN_ITEM = 2;
/** The number of the shape that rows kept whole have. */
export const WHOLE = 0;
/** The path key of the remainder: empty names, more than the path of a column can have. */
export const REMAINDER_KEY = "\0".repeat(MAX_SHREDDED_DEPTH + 1);

/** The items with other numbers of columns. */
export function renumbered(items: readonly number[], columnOf: (column: number) => number): number[] {
  return items.map((item) =>
    item < FIRST_COLUMN_ITEM ? item : columnOf(item - FIRST_COLUMN_ITEM) + FIRST_COLUMN_ITEM
  );
}

/** The key of a path as files hold it: a byte a character. */
export function pathKeyBytes(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i);
  return bytes;
}

/** The reverse of `pathKeyBytes`. */
export function pathKeyOf(bytes: Uint8Array): string {
  let key = "";
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i]!);
  return key;
}

/** Whether bytes are those of a key. */
export function isPathKey(bytes: Uint8Array, key: string): boolean {
  if (bytes.length !== key.length) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== key.charCodeAt(i)) return false;
  return true;
}

/** Names from the top down. */
export class Path {
  private fieldNames: readonly FieldName[] | undefined;

  /** @param key tells paths apart: the bytes of all names as Latin-1, zero characters between */
  constructor(readonly key: string) {}

  /** Made when first asked for, for the columns of many tables are only written. */
  get names(): readonly FieldName[] {
    return this.fieldNames ??= this.key.split("\0").map((name) => fieldName(pathKeyBytes(name)));
  }
}

/** A name as text and as bytes, which need not be UTF-8. */
export interface FieldName {
  readonly text: string;
  /** The bytes with their zero byte. */
  readonly bytes: Uint8Array;
}

export const FieldKind = { Time: 0, Meta: 1, Leaf: 2, Nested: 3 } as const;

export interface ShapeField {
  readonly kind: typeof FieldKind[keyof typeof FieldKind];
  readonly name: FieldName;
  /** The column of a leaf, else -1. */
  readonly column: number;
  /** What stands in a nested document. */
  readonly nested: ShapeNode | undefined;
}

/** The fields of one document, the top or a nested one. */
export class ShapeNode {
  readonly fields: ShapeField[] = [];
  /** The column of the remainder, -1 where there is none; only the top can have one. */
  remainderColumn = -1;
  private nameList: readonly string[] | undefined;
  private readonly byName = new Map<string, ShapeField>();

  get names(): readonly string[] {
    return this.nameList ??= this.fields.map((field) => field.name.text);
  }

  find(name: string): ShapeField | undefined {
    return this.byName.get(name);
  }

  add(field: ShapeField): void {
    this.fields.push(field);
    if (!this.byName.has(field.name.text)) this.byName.set(field.name.text, field);
  }
}

export class Shape {
  private tree: ShapeNode | undefined;

  /** @param paths of the columns, by number; may grow afterwards */
  constructor(
    readonly items: readonly number[],
    private readonly paths: readonly Path[],
    private readonly names: TableNames,
  ) {}

  /** The fields of the document; made when first asked for, for many shapes are never read. */
  get root(): ShapeNode {
    return this.tree ??= buildTree(this.items, this.paths, this.names);
  }

  /** The columns that rows of this shape have a value in, in the order of the document. */
  columns(): number[] {
    return this.items.filter((item) => item >= FIRST_COLUMN_ITEM).map((item) => item - FIRST_COLUMN_ITEM);
  }
}

/** What the table's two special fields are called. */
export interface TableNames {
  readonly time: FieldName;
  readonly meta: FieldName | undefined;
}

/** @param bytes the name without its zero byte */
export function fieldName(bytes: Uint8Array): FieldName {
  const text = readText(bytes, 0, bytes.length);
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return { text, bytes: terminated };
}

/** The names of a table's own fields, as shapes have them. */
export function tableNames(timeField: string, metaField: string | undefined): TableNames {
  const encoder = new TextEncoder();
  return {
    time: fieldName(encoder.encode(timeField)),
    meta: metaField === undefined ? undefined : fieldName(encoder.encode(metaField)),
  };
}

function buildTree(items: readonly number[], paths: readonly Path[], names: TableNames): ShapeNode {
  const root = new ShapeNode();
  const open: { readonly name: string; readonly node: ShapeNode }[] = [];
  for (const item of items) {
    if (item < FIRST_COLUMN_ITEM) {
      open.length = 0;
      const kind = item === TIME_ITEM ? FieldKind.Time : FieldKind.Meta;
      root.add({ kind, name: item === TIME_ITEM ? names.time : names.meta!, column: -1, nested: undefined });
      continue;
    }
    const column = item - FIRST_COLUMN_ITEM;
    const path = paths[column]!;
    if (path.key === REMAINDER_KEY) {
      root.remainderColumn = column;
      continue;
    }
    const parts = path.key.split("\0");
    const last = parts.length - 1;
    let shared = 0;
    while (shared < last && open[shared]?.name === parts[shared]) shared++;
    open.length = shared;
    for (let i = shared; i < last; i++) {
      const nested = new ShapeNode();
      nodeAbove(open, root).add({ kind: FieldKind.Nested, name: path.names[i]!, column: -1, nested });
      open.push({ name: parts[i]!, node: nested });
    }
    nodeAbove(open, root).add({ kind: FieldKind.Leaf, name: path.names[last]!, column, nested: undefined });
  }
  return root;
}

function nodeAbove(open: readonly { readonly node: ShapeNode }[], root: ShapeNode): ShapeNode {
  return open.length === 0 ? root : open[open.length - 1]!.node;
}

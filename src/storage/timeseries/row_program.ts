/**
 * The likely way through a document: its fields are those of one shape, in its order. One loop compares each name with the
 * bytes at hand, checks the value and puts it into its column; types may be any. A document that is otherwise leaves no
 * trace, and goes the slower way through the trie (shape_trie.ts).
 *
 * Nothing but the length of the document and its last byte need have been checked before. What goes through is valid, but
 * for the meta: only where it ends is known.
 */
import { BsonType, readInt64AsNumber, validateValue, valueSize, valueStart } from "../../bson/mod.ts";
import { MAX_SHREDDED_DEPTH } from "../../base/mod.ts";
import { type Column, sizeOfType, viewOf } from "../../column/mod.ts";
import { matchName } from "./match_name.ts";
import type { ShapeTrie } from "./shape_trie.ts";

const Step = { Leaf: 0, Time: 1, Meta: 2, Open: 3, Close: 4 } as const;
const LENGTH_BYTES = 4;
const EMPTY_DOCUMENT_BYTES = 5;

export class RowProgram {
  /** Of the last run that went through. */
  time = 0;
  /** Of the last run: the meta; type 0 when there is none. */
  metaType = 0;
  metaStart = 0;
  metaEnd = 0;

  private readonly steps: number[] = [];
  /** Of each step, the column of a leaf. */
  private readonly numbers: number[] = [];
  /** The names with their zero bytes, and where each starts. */
  private readonly names: DataView;
  private readonly nameStarts: Int32Array;
  /** Of a run: where the open documents end by their lengths. */
  private readonly ends = new Int32Array(MAX_SHREDDED_DEPTH);

  /**
   * @param shape of the document at `start`, in the walk that `trie` has just made
   */
  constructor(readonly shape: number, trie: ShapeTrie, bytes: Uint8Array, start: number) {
    const names: number[] = [];
    const nameStarts: number[] = [];
    let leaf = 0;
    let depth = 0;
    for (let at = start + LENGTH_BYTES; depth > 0 || bytes[at] !== 0;) {
      nameStarts.push(names.length);
      const type = bytes[at]!;
      if (type === 0) {
        this.add(Step.Close);
        depth--;
        at++;
        continue;
      }
      const value = valueStart(bytes, at);
      names.push(...bytes.subarray(at + 1, value));
      const content = type === BsonType.String ? value + LENGTH_BYTES : value;
      at = value + valueSize(bytes, type as BsonType, value);
      if (leaf < trie.valueCount && trie.starts[leaf] === content) {
        this.add(Step.Leaf, trie.columns[leaf++]);
      } else if (value === trie.timeStart) this.add(Step.Time);
      else if (value === trie.metaStart) this.add(Step.Meta);
      else {
        this.add(Step.Open);
        depth++;
        at = value + LENGTH_BYTES;
      }
    }
    nameStarts.push(names.length);
    this.names = viewOf(Uint8Array.from(names));
    this.nameStarts = Int32Array.from(nameStarts);
  }

  private add(step: number, column = -1): void {
    this.steps.push(step);
    this.numbers.push(column);
  }

  /**
   * Adds the values of the document at `start` to columns, by their numbers; false when it goes another way.
   *
   * @throws CommandError InvalidBSON
   */
  run(bytes: Uint8Array, view: DataView, start: number, columns: readonly Column[]): boolean {
    const { steps, numbers, names, nameStarts, ends } = this;
    // Where the zero is that ends the document: no value goes beyond, and there is a byte to read at `at`.
    const last = start + view.getInt32(start, true) - 1;
    let at = start + LENGTH_BYTES;
    let depth = 0;
    let timeStart = 0;
    this.metaType = 0;
    this.metaStart = 0;
    this.metaEnd = 0;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      const type = view.getUint8(at);
      if (step === Step.Close) {
        at++;
        if (type !== 0 || at !== ends[--depth] || at > last) return this.undo(i, columns);
        continue;
      }
      const value = type === 0 ? -1 : matchName(names, nameStarts[i]!, nameStarts[i + 1]!, view, at + 1);
      if (value < 0) return this.undo(i, columns);
      const size = sizeOfType(type);
      if (step === Step.Leaf) {
        const column = columns[numbers[i]!]!;
        if (size >= 0) {
          at = value + size;
          if (at > last || (size === 1 && view.getUint8(value) > 1)) return this.undo(i, columns);
          column.append(type, view, value, at);
        } else if (type === BsonType.String) {
          at = this.stringEnd(view, value, last);
          if (at < 0) return this.undo(i, columns);
          column.append(type, view, value + LENGTH_BYTES, at - 1);
        } else {
          at = validateValue(bytes, view, type as BsonType, value, last);
          if (type === BsonType.Object && at > value + EMPTY_DOCUMENT_BYTES) return this.undo(i, columns);
          column.append(type, view, value, at);
        }
      } else if (step === Step.Open) {
        at = value + LENGTH_BYTES;
        if (type !== BsonType.Object || at > last) return this.undo(i, columns);
        ends[depth++] = value + view.getInt32(value, true);
      } else if (step === Step.Time) {
        at = value + size;
        if (type !== BsonType.Date || at > last) return this.undo(i, columns);
        timeStart = value;
      } else {
        this.metaType = type;
        this.metaStart = value;
        at = this.metaEnd = this.endOfMeta(bytes, view, type, value, last);
        if (at < 0) return this.undo(i, columns);
      }
    }
    if (at !== last) return this.undo(steps.length, columns);
    this.time = readInt64AsNumber(bytes, timeStart);
    const isSafe = this.time <= Number.MAX_SAFE_INTEGER && this.time >= Number.MIN_SAFE_INTEGER;
    return isSafe || this.undo(steps.length, columns);
  }

  /** Where a string ends, the zero included; -1 where it is none. */
  private stringEnd(view: DataView, start: number, last: number): number {
    if (start + LENGTH_BYTES > last) return -1;
    const length = view.getInt32(start, true);
    const end = start + LENGTH_BYTES + length;
    return length < 1 || end > last || view.getUint8(end - 1) !== 0 ? -1 : end;
  }

  /** Where a meta ends by its length; -1 where it does not fit. */
  private endOfMeta(bytes: Uint8Array, view: DataView, type: number, start: number, last: number): number {
    const size = sizeOfType(type);
    if (size >= 0) return start + size > last ? -1 : start + size;
    if (type !== BsonType.Object) return validateValue(bytes, view, type as BsonType, start, last);
    if (start + LENGTH_BYTES > last) return -1;
    const length = view.getInt32(start, true);
    return length < EMPTY_DOCUMENT_BYTES || start + length > last ? -1 : start + length;
  }

  /** Takes back what the first steps have added. */
  private undo(steps: number, columns: readonly Column[]): false {
    for (let i = 0; i < steps; i++) {
      if (this.steps[i] === Step.Leaf) columns[this.numbers[i]!]!.dropLast();
    }
    return false;
  }
}

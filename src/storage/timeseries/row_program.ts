/**
 * The likely way through a document: its fields are those of one shape, in its order. One loop compares each name with the
 * bytes at hand and puts the value into its column; types may be any. A document that is otherwise leaves no trace, and
 * goes the slower way through the trie (shape_trie.ts).
 */
import { BsonType, readInt64AsNumber, valueSize, valueStart } from "../../bson/mod.ts";
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

  /** Adds the values of the document at `start` to columns, by their numbers; false when it goes another way. */
  run(bytes: Uint8Array, view: DataView, start: number, columns: readonly Column[]): boolean {
    const { steps, numbers, names, nameStarts } = this;
    let at = start + LENGTH_BYTES;
    let timeStart = 0;
    this.metaType = 0;
    this.metaStart = 0;
    this.metaEnd = 0;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      const type = view.getUint8(at);
      if (step === Step.Close) {
        if (type !== 0) return this.undo(i, columns);
        at++;
        continue;
      }
      const value = type === 0 ? -1 : matchName(names, nameStarts[i]!, nameStarts[i + 1]!, view, at + 1);
      if (value < 0) return this.undo(i, columns);
      const size = sizeOfType(type);
      if (step === Step.Leaf) {
        const column = columns[numbers[i]!]!;
        if (size >= 0) {
          at = value + size;
          column.append(type, view, value, at);
        } else if (type === BsonType.String) {
          at = value + LENGTH_BYTES + view.getInt32(value, true);
          column.append(type, view, value + LENGTH_BYTES, at - 1);
        } else {
          at = value + valueSize(bytes, type as BsonType, value);
          if (type === BsonType.Object && at > value + EMPTY_DOCUMENT_BYTES) return this.undo(i, columns);
          column.append(type, view, value, at);
        }
      } else if (step === Step.Open) {
        if (type !== BsonType.Object) return this.undo(i, columns);
        at = value + LENGTH_BYTES;
      } else if (step === Step.Time) {
        if (type !== BsonType.Date) return this.undo(i, columns);
        timeStart = value;
        at = value + size;
      } else {
        this.metaType = type;
        this.metaStart = value;
        at = this.metaEnd = value + (size >= 0 ? size : valueSize(bytes, type as BsonType, value));
      }
    }
    if (view.getUint8(at) !== 0) return this.undo(steps.length, columns);
    this.time = readInt64AsNumber(bytes, timeStart);
    const isSafe = this.time <= Number.MAX_SAFE_INTEGER && this.time >= Number.MIN_SAFE_INTEGER;
    return isSafe || this.undo(steps.length, columns);
  }

  /** Takes back what the first steps have added. */
  private undo(steps: number, columns: readonly Column[]): false {
    for (let i = 0; i < steps; i++) {
      if (this.steps[i] === Step.Leaf) columns[this.numbers[i]!]!.dropLast();
    }
    return false;
  }
}

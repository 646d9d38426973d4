/** `$push`, `$addToSet`, `$mergeObjects`: all values, all different values, all fields; missing values are left out. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  Document,
  isArray,
  isNullish,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import { renderValue, typeName } from "../expression/message.ts";
import { approximateBytes, detached } from "../memory.ts";
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts";

class Push implements Accumulator {
  keptBytes = 0;
  private readonly values: Value[] = [];

  add(value: Value): void {
    if (value === undefined) return;
    this.values.push(detached(value));
    this.keptBytes += approximateBytes(value);
  }

  partial(): Value {
    return this.values;
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((value) => this.add(value));
  }

  result(): Value {
    return this.values;
  }
}

/** What a set holds of a value beside it, about. */
const KEY_BYTES = 64;

/** Of equal values the first to come is kept. */
class AddToSet implements Accumulator {
  keptBytes = 0;
  private readonly values = new Map<ValueKey, Value>();

  constructor(private readonly keyOf: (value: Value) => ValueKey) {}

  add(value: Value): void {
    if (value === undefined) return;
    const key = this.keyOf(value);
    if (this.values.has(key)) return;
    this.values.set(key, detached(value));
    this.keptBytes += approximateBytes(value) + KEY_BYTES;
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((value) => this.add(value));
  }

  result(): Value {
    return [...this.values.values()];
  }
}

/** A field keeps the place where it was first seen and takes its latest value. */
class MergeObjects implements Accumulator {
  private readonly fields = new Map<string, Value>();

  add(value: Value): void {
    if (isNullish(value)) return;
    if (!(value instanceof Document)) {
      throw new CommandError(
        40400,
        `$mergeObjects requires object inputs, but input ${renderValue(value)} is of type ${typeName(value)}`,
      );
    }
    const values = value.values();
    value.names().forEach((name, i) => this.fields.set(name, values[i]));
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    this.add(partial);
  }

  result(): Value {
    return new BuiltDocument([...this.fields.keys()], [...this.fields.values()]);
  }
}

export const createMergeObjects = (): Accumulator => new MergeObjects();

export const COLLECTION: readonly AccumulatorDefinition[] = [
  { name: "$addToSet", create: ({ collation }) => new AddToSet(valueKeys(collation)) },
  { name: "$mergeObjects", create: createMergeObjects },
  { name: "$push", create: () => new Push() },
];

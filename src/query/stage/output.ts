/** The computed fields of `$group`, `$bucket` and `$timeWindow`: `{name: {$accumulator: argument}}`. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, type Value } from "../../bson/mod.ts";
import type { Accumulator, AccumulatorNode } from "../accumulator/accumulator.ts";
import { accumulatorInput, createAccumulator, parseAccumulator } from "../accumulator/accumulators.ts";
import type { Evaluator, Expression, ParseContext, Scope } from "../expression/expression.ts";

export interface Output {
  readonly name: string;
  readonly accumulator: AccumulatorNode;
  /** What it reads of each row. */
  readonly inputs: readonly Expression[];
}

/** An accumulator without what it keeps, about. */
const ACCUMULATOR_BYTES = 64;

/** @throws CommandError with MongoDB's code and wording */
export function parseOutput(name: string, value: Value, context: ParseContext): Output {
  if (name.startsWith("$")) {
    throw new CommandError(40236, `The field name '${name}' cannot be an operator name`);
  }
  if (name.includes(".")) {
    throw new CommandError(40235, `The field name '${name}' cannot contain '.'`);
  }
  const operator = value instanceof Document ? value.names()[0] : undefined;
  if (!(value instanceof Document) || operator === undefined) throw notAnAccumulator(name);
  if (value.names().length > 1) {
    throw new CommandError(40238, `The field '${name}' must specify one accumulator`);
  }
  if (!operator.startsWith("$")) throw notAnAccumulator(name);
  const accumulator = parseAccumulator(operator, value.values()[0], context);
  return { name, accumulator, inputs: [accumulator.input] };
}

function notAnAccumulator(name: string): CommandError {
  return new CommandError(40234, `The field '${name}' must be an accumulator object`);
}

/** Makes the accumulators of group after group. */
export class OutputFactory {
  readonly names: readonly string[];
  /** What one group takes, about, before it keeps any value. */
  readonly stateBytes: number;
  private readonly inputs: readonly Evaluator[];

  /** @throws CommandError when a constant part of an argument fails */
  constructor(private readonly outputs: readonly Output[]) {
    this.names = outputs.map((output) => output.name);
    this.stateBytes = ACCUMULATOR_BYTES * (outputs.length + 1);
    this.inputs = outputs.map((output) => accumulatorInput(output.accumulator));
  }

  /** An output's accumulator, as it is written. */
  accumulatorName(output: number): string {
    return this.outputs[output]!.accumulator.name;
  }

  /** @param groupId the group's _id @throws CommandError when an `n` that depends on it is none */
  create(groupId: Value): OutputState {
    const accumulators = this.outputs.map((output) => createAccumulator(output.accumulator, groupId));
    return new OutputState(this.names, this.inputs, accumulators);
  }
}

/** The accumulators of one group. */
export class OutputState {
  constructor(
    private readonly names: readonly string[],
    private readonly inputs: readonly Evaluator[],
    private readonly accumulators: readonly Accumulator[],
  ) {}

  /** Takes a row. @returns the bytes that are kept of it, about */
  add(scope: Scope): number {
    let bytes = 0;
    const { inputs, accumulators } = this;
    for (let i = 0; i < inputs.length; i++) {
      const accumulator = accumulators[i]!;
      if (accumulator.isDone === true) continue;
      const before = accumulator.keptBytes;
      accumulator.add(inputs[i]!(scope));
      if (before !== undefined) bytes += accumulator.keptBytes! - before;
    }
    return bytes;
  }

  /** Bytes of the values that are kept, about, and which accumulator keeps most. */
  kept(): { readonly bytes: number; readonly most: number } {
    let bytes = 0;
    let most = 0;
    this.accumulators.forEach(({ keptBytes = 0 }, i) => {
      bytes += keptBytes;
      if (keptBytes > (this.accumulators[most]!.keptBytes ?? 0)) most = i;
    });
    return { bytes, most };
  }

  /** What each accumulator holds, to be merged elsewhere. */
  partials(): readonly Value[] {
    return this.accumulators.map((accumulator) => accumulator.partial());
  }

  /** Takes the partials of another state of the same outputs, as what follows. @returns the bytes that are kept of them, about */
  mergePartials(partials: readonly Value[]): number {
    let bytes = 0;
    this.accumulators.forEach((accumulator, i) => {
      const before = accumulator.keptBytes;
      accumulator.merge(partials[i]);
      if (before !== undefined) bytes += accumulator.keptBytes! - before;
    });
    return bytes;
  }

  /** Appends the group's fields. */
  appendTo(names: string[], values: Value[]): void {
    for (let i = 0; i < this.names.length; i++) {
      names.push(this.names[i]!);
      values.push(this.accumulators[i]!.result());
    }
  }
}

/** One group in the making. */
export interface Group {
  readonly id: Value;
  readonly state: OutputState;
}

/** A group as the stage gives it. */
export function documentOfGroup({ id, state }: Group): Document {
  const names = ["_id"];
  const values: Value[] = [id];
  state.appendTo(names, values);
  return new BuiltDocument(names, values);
}

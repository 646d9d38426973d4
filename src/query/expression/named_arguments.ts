/** Operators whose argument is a document of named expressions: `{$trim: {input: …, chars: …}}`. */
import type { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import { type Expression, namedNode, type OperatorNode, type ParseContext } from "./expression.ts";
import type { Parse } from "./operator.ts";

export interface NamedArguments {
  readonly operator: string;
  /** The names there are; those that must be given come with the error for their absence. */
  readonly names: Readonly<Record<string, CommandError | "optional">>;
  readonly notAnObject: (value: Value) => CommandError;
  readonly unknown: (name: string) => CommandError;
}

/** Parses the argument; names that are not given are absent. @throws CommandError */
export function parseNamed(
  spec: NamedArguments,
  value: Value,
  context: ParseContext,
  parse: Parse,
): OperatorNode {
  if (!(value instanceof Document)) throw spec.notAnObject(value);
  return namedNode(spec.operator, parseFields(spec, value, context, parse));
}

/** Parses the fields of the argument. @throws CommandError */
export function parseFields(
  spec: NamedArguments,
  value: Document,
  context: ParseContext,
  parse: Parse,
): Record<string, Expression> {
  const values = value.values();
  const named: Record<string, Expression> = {};
  value.names().forEach((name, i) => {
    if (!Object.hasOwn(spec.names, name)) throw spec.unknown(name);
    named[name] = parse(values[i], context);
  });
  for (const name in spec.names) {
    const missing = spec.names[name]!;
    if (missing !== "optional" && named[name] === undefined) throw missing;
  }
  return named;
}

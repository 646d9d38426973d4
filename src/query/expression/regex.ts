/** `$regexMatch`, `$regexFind`, `$regexFindAll`: PCRE patterns over strings; positions count code points. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, BuiltDocument, type Document, Int32, isNullish, type Value } from "../../bson/mod.ts";
import { compilePattern, type Match, type Pattern, PatternLimitError } from "../pattern/pattern.ts";
import { typeName } from "./message.ts";
import { parseNamed } from "./named_arguments.ts";
import type { Operands, OperatorDefinition } from "./operator.ts";
import type { Expression, Scope } from "./expression.ts";
import { codePointCount } from "./string.ts";

function regex(
  name: string,
  none: Value,
  apply: (text: string, pattern: Pattern) => Value,
): OperatorDefinition {
  return {
    name,
    unfolded: "itself",
    parse: (value, context, parse) =>
      parseNamed(
        {
          operator: name,
          names: {
            input: new CommandError(31022, `${name} requires 'input' parameter`),
            regex: new CommandError(31023, `${name} requires 'regex' parameter`),
            options: "optional",
          },
          notAnObject: (argument) =>
            new CommandError(
              51103,
              `${name} expects an object of named arguments but found: ${typeName(argument)}`,
            ),
          unknown: (field) => new CommandError(31024, `${name} found an unknown argument: ${field}`),
        },
        value,
        context,
        parse,
      ),
    compile: ({ named, node }) => {
      const input = named["input"]!;
      const patternOf = patternEvaluator(name, named, node);
      return (scope) => {
        const text = input(scope);
        const expression = patternOf(scope);
        if (typeof text !== "string" && !isNullish(text)) {
          throw new CommandError(51104, `${name} needs 'input' to be of type string`);
        }
        if (typeof text !== "string" || expression === undefined) return none;
        try {
          return apply(text, expression);
        } catch (error) {
          throw error instanceof PatternLimitError ? givenUp(name, error) : error;
        }
      };
    },
  };
}

/** What gives the pattern to look for; one that is constant is read ahead of the rows, and refused there. */
function patternEvaluator(
  name: string,
  named: Operands["named"],
  node: Operands["node"],
): (scope: Scope) => Pattern | undefined {
  const pattern = named["regex"]!;
  const options = named["options"];
  const of = (scope: Scope) => expressionOf(name, pattern(scope), options?.(scope));
  const written = constantOf(node.named["regex"]);
  const letters = constantOf(node.named["options"]);
  if (written === undefined || letters === undefined) return of;
  const constant = expressionOf(name, written.value, letters.value);
  return () => constant;
}

/** The value of a constant, which missing is too; undefined where it is none. */
function constantOf(operand: Expression | undefined): { readonly value: Value } | undefined {
  if (operand === undefined) return { value: undefined };
  if (operand.kind === "constant") return operand;
  const isLiteral = operand.kind === "operator" && (operand.name === "$literal" || operand.name === "$const");
  return isLiteral ? constantOf(operand.args[0]) : undefined;
}

/** The pattern to look for; undefined where it is null. */
function expressionOf(name: string, pattern: Value, options: Value): Pattern | undefined {
  if (!isNullish(pattern) && typeof pattern !== "string" && !(pattern instanceof BSONRegExp)) {
    throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex`);
  }
  if (!isNullish(options) && typeof options !== "string") {
    throw new CommandError(51106, `${name} needs 'options' to be of type string`);
  }
  const own = pattern instanceof BSONRegExp ? pattern.options : "";
  if (own !== "" && typeof options === "string") {
    throw new CommandError(
      51107,
      `${name}: found regex option(s) specified in both 'regex' and 'option' fields`,
    );
  }
  const used = typeof options === "string" ? options : own;
  // Wrong options are an error even where there is nothing to look for.
  if (isNullish(pattern)) return void translate(name, "", used);
  return translate(name, pattern instanceof BSONRegExp ? pattern.pattern : pattern, used);
}

function translate(name: string, pattern: string, options: string): Pattern {
  if (pattern.includes("\0")) {
    throw new CommandError(51109, `${name}: regular expression cannot contain an embedded null byte`);
  }
  try {
    return compilePattern(pattern, options);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === 51108) throw new CommandError(51108, `${name}${error.message}`);
    throw new CommandError(
      51111,
      error.message.replace("Regular expression is invalid:", `Invalid Regex in ${name}:`),
    );
  }
}

function givenUp(name: string, { resultCode }: PatternLimitError): CommandError {
  return new CommandError(
    51156,
    `Error occurred while executing the regular expression in ${name}. Result code: ${resultCode}`,
  );
}

/** What the language returns for a match. */
function matchDocument({ start, end, captures }: Match, text: string): Document {
  return new BuiltDocument(["match", "idx", "captures"], [
    text.slice(start, end),
    Int32.of(codePointCount(text.slice(0, start))),
    captures.map((capture) => capture ?? null),
  ]);
}

function behindCharacter(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}

function findAll(text: string, pattern: Pattern): Value {
  const found: Document[] = [];
  let from = 0;
  do {
    const match = pattern.find(text, from);
    if (match === undefined) break;
    found.push(matchDocument(match, text));
    from = match.end > match.start ? match.end : behindCharacter(text, match.end);
  } while (from < text.length);
  return found;
}

export const REGEX: readonly OperatorDefinition[] = [
  regex("$regexFind", null, (text, pattern) => {
    const match = pattern.find(text, 0);
    return match === undefined ? null : matchDocument(match, text);
  }),
  regex("$regexFindAll", [], findAll),
  regex("$regexMatch", false, (text, pattern) => pattern.test(text)),
];

/** `$regexMatch`, `$regexFind`, `$regexFindAll`: PCRE patterns over strings; positions count code points. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, BuiltDocument, type Document, Int32, isNullish, type Value } from "../../bson/mod.ts";
import { translatePattern } from "../filter/pcre.ts";
import { typeName } from "./message.ts";
import { parseNamed } from "./named_arguments.ts";
import type { OperatorDefinition } from "./operator.ts";
import { codePointCount } from "./string.ts";

function regex(
  name: string,
  none: Value,
  apply: (text: string, pattern: RegExp) => Value,
): OperatorDefinition {
  return {
    name,
    unfolded: true,
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
    compile: ({ named }) => {
      const input = named["input"]!;
      const pattern = named["regex"]!;
      const options = named["options"];
      return (scope) => {
        const text = input(scope);
        const wanted = pattern(scope);
        const expression = expressionOf(name, wanted, options?.(scope));
        if (typeof text !== "string" && !isNullish(text)) {
          throw new CommandError(51104, `${name} needs 'input' to be of type string`);
        }
        return typeof text !== "string" || expression === undefined ? none : apply(text, expression);
      };
    },
  };
}

/** The pattern to look for; undefined where it is null. */
function expressionOf(name: string, pattern: Value, options: Value): RegExp | undefined {
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

function translate(name: string, pattern: string, options: string): RegExp {
  if (pattern.includes("\0")) {
    throw new CommandError(51109, `${name}: regular expression cannot contain an embedded null byte`);
  }
  try {
    return translatePattern(pattern, options);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === 51108) throw new CommandError(51108, `${name}${error.message}`);
    throw new CommandError(
      51111,
      error.message.replace("Regular expression is invalid:", `Invalid Regex in ${name}:`),
    );
  }
}

/** What the language returns for a match. */
function matchDocument(match: RegExpExecArray, text: string): Document {
  return new BuiltDocument(["match", "idx", "captures"], [
    match[0],
    Int32.of(codePointCount(text.slice(0, match.index))),
    match.slice(1).map((capture: string | undefined) => capture ?? null),
  ]);
}

function findAll(text: string, pattern: RegExp): Value {
  const global = new RegExp(pattern.source, `${pattern.flags}g`);
  const found: Document[] = [];
  for (const match of text.matchAll(global)) {
    // An empty match at the end of a text that is not empty does not count.
    if (match[0] === "" && match.index === text.length && text !== "") break;
    found.push(matchDocument(match, text));
  }
  return found;
}

export const REGEX: readonly OperatorDefinition[] = [
  regex("$regexFind", null, (text, pattern) => {
    const match = pattern.exec(text);
    return match === null ? null : matchDocument(match, text);
  }),
  regex("$regexFindAll", [], findAll),
  regex("$regexMatch", false, (text, pattern) => pattern.test(text)),
];

/**
 * What MongoDB 6.0.5 answers, replayed. Each line of `oracle_answers/*.jsonl` is an expression (Extended JSON, types kept)
 * over the one document of `document.json`, with the answer, no answer (the value is missing) or an error.
 *
 * The lines were drawn at random from the values that are awkward (NaN, −0, the ends of the integer types, decimals,
 * arrays in arrays, every BSON type) and keep what MongoDB said; what is meant to differ stands in
 * `oracle_answers/intended_differences.ts`.
 */
import assert from "node:assert/strict";
import { EJSON, serialize } from "bson";
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, encodeDocument, isArray, RawDocument, type Value } from "../../bson/mod.ts";
import { compileExpression } from "./compile.ts";
import { INTENDED_DIFFERENCES } from "./oracle_answers/intended_differences.ts";
import { parseExpression } from "./parse.ts";

const FOLDER = new URL("./oracle_answers/", import.meta.url);
const FAMILIES = [
  "arithmetic",
  "arrays",
  "comparison",
  "conversions",
  "dates",
  "documents",
  "functions",
  "statistics",
  "strings",
  "time_zones",
];

function documentOf(text: string): RawDocument {
  return new RawDocument(serialize(EJSON.parse(text, { relaxed: false }), { ignoreUndefined: false }));
}

const ROW = documentOf(Deno.readTextFileSync(new URL("document.json", FOLDER)));

/** The value's bytes, or the error, as text: two values are the same only with the same types and digits. */
function outcomeOf(expression: Value): string {
  try {
    const parsed = parseExpression(expression, { variables: new Set() });
    return textOf(compileExpression(parsed)({ root: ROW, variables: new Map() }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return `error ${error.code}: ${error.message}`;
  }
}

function textOf(value: Value): string {
  if (value === undefined) return "missing";
  const bytes = encodeDocument(new BuiltDocument(["value"], [oneNaN(value)]));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** NaN has many bit patterns, and they say nothing: here it is a text. */
function oneNaN(value: Value): Value {
  if (Number.isNaN(value)) return "NaN, a double";
  if (isArray(value)) return value.map(oneNaN);
  return value instanceof Document ? new BuiltDocument(value.names(), value.values().map(oneNaN)) : value;
}

function expectedOf(line: Document): string {
  const message = line.get("message");
  if (typeof message !== "string") return textOf(line.get("answer"));
  return `error ${(line.get("code") as { value: number }).value}: ${message}`;
}

for (const family of FAMILIES) {
  Deno.test(`expressions answer as MongoDB does: ${family}`, () => {
    const lines = Deno.readTextFileSync(new URL(`${family}.jsonl`, FOLDER)).trimEnd().split("\n");
    assert.ok(lines.length >= 100, `${family} has its cases`);
    for (const text of lines) {
      const line = documentOf(text);
      assert.equal(outcomeOf(line.get("expression")), expectedOf(line), text);
    }
  });
}

Deno.test("intended differences from MongoDB 6.0.5", () => {
  for (const { expression, theirs, ours, reason } of INTENDED_DIFFERENCES) {
    const line = documentOf(`{"expression": ${expression}, "theirs": ${theirs}, "ours": ${ours}}`);
    assert.equal(outcomeOf(line.get("expression")), textOf(line.get("ours")), reason);
    assert.notEqual(textOf(line.get("theirs")), textOf(line.get("ours")), reason);
  }
});

/**
 * MongoDB's answers, kept beside the cases: `golden/<topic>.json` is one map from the case's name to its replies, written
 * so that a change of one answer is a change of a few lines.
 */
import type { Json, Replies } from "./normalize.ts";
import { isObject } from "./normalize.ts";

const GOLDEN = new URL("./golden/", import.meta.url);
const LINE_WIDTH = 110;

/** The recorded replies of a topic. @throws when it was never recorded */
export function readGolden(topic: string): Map<string, Replies> {
  return new Map(Object.entries(JSON.parse(Deno.readTextFileSync(new URL(`${topic}.json`, GOLDEN)))));
}

export function writeGolden(topic: string, answers: ReadonlyMap<string, Replies>): void {
  Deno.mkdirSync(GOLDEN, { recursive: true });
  Deno.writeTextFileSync(
    new URL(`${topic}.json`, GOLDEN),
    formatJson(Object.fromEntries(answers), "") + "\n",
  );
}

/** JSON in which what fits stands on one line. */
export function formatJson(value: Json, indent: string): string {
  const line = oneLine(value);
  if (line.length + indent.length <= LINE_WIDTH) return line;
  const inner = indent + "  ";
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + formatJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (!isObject(value)) return line;
  const entries = Object.entries(value)
    .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${formatJson(item, inner)}`);
  return `{\n${entries.join(",\n")}\n${indent}}`;
}

function oneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return `{${entries.join(", ")}}`;
}

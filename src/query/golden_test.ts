/**
 * Replays what MongoDB 6.0.5 answered. Each file under `golden/` holds lines of extended JSON: `{documents}` sets the
 * collection, any other line is a find, aggregate or distinct with the `result` or the `error` (code and message) that
 * MongoDB gave; `unordered` ones may come in any order. The `_forms` files were written by hand, the `random_` ones by a
 * generator of nested documents and queries.
 */
import { deepStrictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { BSON } from "bson";
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, encodeDocument, isArray, RawDocument, type Value } from "../bson/mod.ts";
import { ArraySource } from "./array_source.ts";
import { NO_COLLECTIONS } from "./collections.ts";
import { distinctValues } from "./distinct.ts";
import { execute } from "./execute.ts";
import { parseDistinct, parseFind, parsePipeline } from "./parse.ts";
import { collectRows } from "./rows.ts";
import { newScanCounters } from "./source.ts";

const { EJSON } = BSON;
const FOLDER = new URL("./golden/", import.meta.url);

for (const file of readdirSync(FOLDER).sort()) {
  Deno.test(`answers as MongoDB: ${file}`, async () => {
    let source = new ArraySource([]);
    for (const line of readFileSync(new URL(file, FOLDER), "utf8").trimEnd().split("\n")) {
      const entry = JSON.parse(line);
      if (entry.documents !== undefined) source = new ArraySource(entry.documents.map(documentOf));
      else await check(entry, source);
    }
  });
}

interface Case {
  readonly result?: readonly unknown[];
  readonly error?: string;
  readonly unordered?: true;
}

async function check(entry: Case, source: ArraySource): Promise<void> {
  const { result, error, unordered, ...command } = entry;
  const answer = await answerOf(documentOf(command), source);
  const expected = error ?? result!;
  const sorted = (values: unknown) =>
    unordered && Array.isArray(values) ? values.map((value) => JSON.stringify(value)).sort() : values;
  deepStrictEqual(sorted(answer), sorted(expected), JSON.stringify(command));
}

/** The rows as canonical extended JSON, or the error's code and message. */
async function answerOf(command: Document, source: ArraySource): Promise<readonly unknown[] | string> {
  try {
    return (await run(command, source)).map(jsonOf);
  } catch (error) {
    if (error instanceof CommandError) return `${error.code} ${error.message}`;
    throw error;
  }
}

async function run(command: Document, source: ArraySource): Promise<readonly Value[]> {
  const context = {
    nowMs: 0,
    variables: new Map(),
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
    collections: NO_COLLECTIONS,
  };
  const key = command.get("key");
  if (typeof key === "string") {
    const rows = execute(parseDistinct({ key, query: documentAt(command, "query") }), source, context);
    return await distinctValues(rows, key);
  }
  const stages = command.get("pipeline");
  const pipeline = isArray(stages) ? parsePipeline(stages) : parseFind({
    filter: documentAt(command, "filter"),
    projection: documentAt(command, "projection"),
    sort: documentAt(command, "sort"),
    skip: numberAt(command, "skip"),
    limit: numberAt(command, "limit"),
  });
  return await collectRows(execute(pipeline, source, context));
}

function documentAt(command: Document, name: string): Document | undefined {
  const value = command.get(name);
  return value instanceof Document ? value : undefined;
}

function numberAt(command: Document, name: string): number | undefined {
  const value = command.get(name);
  return value === undefined ? undefined : Number((value as { value: number }).value ?? value);
}

function documentOf(json: object): RawDocument {
  const plain = withOperatorNames(EJSON.deserialize(json, { relaxed: false }));
  return new RawDocument(BSON.serialize(plain as BSON.Document, { ignoreUndefined: false }));
}

/** `$regex` is written `@regex` in the files: extended JSON would read the operator as a regular expression. */
function withOperatorNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOperatorNames);
  if (value === null || typeof value !== "object" || "_bsontype" in value || value instanceof Date) {
    return value;
  }
  const rename = (name: string) => name === "@regex" ? "$regex" : name;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [rename(name), withOperatorNames(child)]),
  );
}

function jsonOf(value: Value): unknown {
  const bytes = encodeDocument(BuiltDocument.of({ value }));
  const plain = BSON.deserialize(bytes, { promoteValues: false, promoteLongs: false });
  return JSON.parse(EJSON.stringify(plain["value"], { relaxed: false }));
}

/** Runs the cases of a topic over one connection, and gives the replies in the form in which they are compared. */
import type { Document, WireClient } from "../support/wire_client.ts";
import type { CaseFile, OracleCase } from "./case_file.ts";
import { normalize, type Replies } from "./normalize.ts";
import { isPlainObject } from "./yaml_bson.ts";

/** The two that answer. */
export type Side = "oracle" | "chronogo";

const INSERT_BATCH = 1000;

/** Runs all cases; a case whose connection broke has the error as its reply. */
export async function replay(client: WireClient, file: CaseFile, side: Side): Promise<Map<string, Replies>> {
  const answers = new Map<string, Replies>();
  const database = databaseOf(file);
  if (!file.isolated) await setUp(client, database, file);
  for (const oracleCase of file.cases) {
    if (file.isolated) await setUp(client, database, file);
    answers.set(oracleCase.name, await runCase(client, database, file, oracleCase, side));
  }
  await client.must({ dropDatabase: 1, $db: database });
  return answers;
}

/** The database of a topic's collections. */
export function databaseOf(file: CaseFile): string {
  return `oracle_${file.topic}`;
}

async function setUp(client: WireClient, database: string, file: CaseFile): Promise<void> {
  await client.must({ dropDatabase: 1, $db: database });
  for (const { name, create, documents } of file.collections) {
    if (create !== undefined) await client.must({ create: name, ...create, $db: database });
    for (let start = 0; start < documents.length; start += INSERT_BATCH) {
      const batch = documents.slice(start, start + INSERT_BATCH);
      await client.must({ insert: name, documents: batch, $db: database });
    }
  }
}

async function runCase(
  client: WireClient,
  database: string,
  file: CaseFile,
  oracleCase: OracleCase,
  side: Side,
): Promise<Replies> {
  const replies: Document[] = [];
  let lastCursor: unknown;
  let lastTime: unknown;
  let tokens: Readonly<Record<string, unknown>> = {};
  for (const command of oracleCase[side]) {
    // The command's name stays the first key; a case may name another $db.
    const reply = await client.command({
      ...filledIn(command, { $lastCursor: lastCursor, $lastTime: lastTime, ...tokens }),
      $db: command["$db"] ?? database,
    });
    lastCursor = reply["cursor"]?.["id"] ?? lastCursor;
    lastTime = reply["operationTime"] ?? lastTime;
    tokens = { ...tokens, ...tokensIn(reply) };
    replies.push(reply);
  }
  return normalize(replies, oracleCase[side], file);
}

/** The resume tokens of the first and of the last event of a batch, if there are any, and that of the batch. */
function tokensIn({ cursor }: Document): Readonly<Record<string, unknown>> {
  const batchToken = cursor?.["postBatchResumeToken"];
  if (batchToken === undefined) return {};
  const events: readonly Document[] = cursor["firstBatch"] ?? cursor["nextBatch"];
  if (events.length === 0) return { $batchToken: batchToken };
  return { $batchToken: batchToken, $firstToken: events[0]!["_id"], $lastToken: events.at(-1)!["_id"] };
}

/** @param values what stands for `{$name: 1}`, by the name */
function filledIn(command: Document, values: Readonly<Record<string, unknown>>): Document {
  return mapValues(command, (value) => {
    const name = isPlainObject(value) ? Object.keys(value)[0] : undefined;
    return name !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
  });
}

/** A copy in which `replacement` takes the place of each value for which it gives one. */
function mapValues(document: Document, replacement: (value: unknown) => unknown): Document {
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, replaceIn(value, replacement)]),
  );
}

function replaceIn(value: unknown, replacement: (value: unknown) => unknown): unknown {
  const replaced = replacement(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, replacement));
  return isPlainObject(value) ? mapValues(value, replacement) : value;
}

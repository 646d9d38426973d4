/**
 * The cases of one topic, as `cases/<topic>.yaml` has them:
 *
 *     isolated: true            # each case gets the collections afresh; for cases that write. Default false
 *     replicaSet: true          # MongoDB is the one member of a replica set, not a standalone. Default false
 *     collections:
 *       plain: [{ _id: 1, a: 1 }]                                # a list of documents
 *       weather:                                                 # or options of `create`, and documents
 *         create: { timeseries: { timeField: t, metaField: m } }
 *         documents: [{ _id: 1, t: 2024-01-01T00:00:00Z, m: 1 }]
 *     cases:
 *       a name that says what is so: { find: plain, filter: { a: 1 } }       # one command
 *       a write, and what it left: [{ insert: … }, { find: … }]              # or some, in turn
 *       two ways to one answer:                                             # or a pair
 *         oracle: { aggregate: …$group over $dateTrunc… }
 *         chronogo: { aggregate: …$timeWindow… }
 *       what ChronoGo does otherwise:
 *         run: { … }
 *         differs: { reason: why, expect: {ok: 1.0} }            # ChronoGo's whole reply (a list for some commands)
 *       what differs only a little:
 *         run: { … }
 *         differs: { reason: why, change: { n: 0 } }             # these fields of the reply (a list for some commands)
 *
 * A case with `each` stands for many: see case_template.ts.
 *
 * In a command, `{ $lastCursor: 1 }` stands for the id of the cursor in the reply before, `{ $lastTime: 1 }` for its
 * operationTime, `{ $firstToken: 1 }` and `{ $lastToken: 1 }` for the resume tokens of the first and the last event of the
 * last batch that had any, `{ $batchToken: 1 }` for that of the last batch. A command without `$db` goes to the topic's own
 * database. The scalars are those of yaml_bson.ts.
 */
import { assert } from "../../src/base/mod.ts";
import type { Document } from "../support/wire_client.ts";
import { expandTemplate } from "./case_template.ts";
import { isPlainObject, parseYamlBson } from "./yaml_bson.ts";

const CASES = new URL("./cases/", import.meta.url);

export interface CaseFile {
  readonly topic: string;
  readonly isolated: boolean;
  /** Whether MongoDB runs as the one member of a replica set. */
  readonly replicaSet: boolean;
  readonly collections: readonly CollectionSetup[];
  readonly cases: readonly OracleCase[];
}

export interface CollectionSetup {
  readonly name: string;
  /** The options of `create`; undefined where the first insert creates it. */
  readonly create: Document | undefined;
  readonly documents: readonly Document[];
}

export interface OracleCase {
  readonly name: string;
  /** The commands for MongoDB. */
  readonly oracle: readonly Document[];
  /** The commands for ChronoGo: mostly the same. */
  readonly chronogo: readonly Document[];
  readonly differs: IntendedDifference | undefined;
}

/** What ChronoGo means to answer otherwise than MongoDB 6.0 as a standalone. */
export interface IntendedDifference {
  readonly reason: string;
  /** ChronoGo's replies, one a command: whole, or what changes in MongoDB's. */
  readonly replies: readonly ExpectedReply[];
}

/** A whole reply; or MongoDB's, of which the fields of `change` are other ones. */
export type ExpectedReply = { readonly whole: Document } | { readonly change: Document };

/** The topics that have a case file, sorted. */
export function topics(): string[] {
  return [...Deno.readDirSync(CASES)]
    .flatMap(({ name }) => name.endsWith(".yaml") ? [name.slice(0, -".yaml".length)] : [])
    .sort();
}

/** Reads a topic's case file. @throws when it is malformed */
export function readCaseFile(topic: string): CaseFile {
  const parsed = parseYamlBson(Deno.readTextFileSync(new URL(`${topic}.yaml`, CASES)));
  assert(isPlainObject(parsed) && isPlainObject(parsed["cases"]), `${topic}.yaml has no map "cases"`);
  const collections = parsed["collections"] ?? {};
  assert(isPlainObject(collections), `${topic}.yaml: "collections" is no map`);
  return {
    topic,
    isolated: parsed["isolated"] === true,
    replicaSet: parsed["replicaSet"] === true,
    collections: Object.entries(collections).map(([name, setup]) => toSetup(name, setup)),
    cases: Object.entries(parsed["cases"])
      .flatMap(([name, text]) => isTemplate(text) ? expandTemplate(name, text) : [[name, text] as const])
      .map(([name, text]) => toCase(`${topic}: ${name}`, name, text)),
  };
}

function isTemplate(text: unknown): text is Record<string, unknown> {
  return isPlainObject(text) && "each" in text;
}

function toSetup(name: string, setup: unknown): CollectionSetup {
  if (Array.isArray(setup)) return { name, create: undefined, documents: setup };
  assert(isPlainObject(setup), `collection ${name}: expected a list of documents, or {create, documents}`);
  return {
    name,
    create: isPlainObject(setup["create"]) ? setup["create"] : undefined,
    documents: toCommands(name, setup["documents"] ?? []),
  };
}

function toCase(place: string, name: string, text: unknown): OracleCase {
  if (Array.isArray(text)) return same(name, toCommands(place, text));
  assert(isPlainObject(text), `${place}: expected a command, a list of them, or {run} or {oracle, chronogo}`);
  if ("oracle" in text) {
    return {
      name,
      oracle: toCommands(place, text["oracle"]),
      chronogo: toCommands(place, text["chronogo"]),
      differs: undefined,
    };
  }
  if (!("run" in text)) return same(name, [text]);
  return { ...same(name, toCommands(place, text["run"])), differs: toDifference(place, text["differs"]) };
}

function same(name: string, commands: readonly Document[]): OracleCase {
  return { name, oracle: commands, chronogo: commands, differs: undefined };
}

function toDifference(place: string, value: unknown): IntendedDifference | undefined {
  if (value === undefined) return undefined;
  assert(
    isPlainObject(value) && typeof value["reason"] === "string",
    `${place}: a difference needs a reason`,
  );
  const isWhole = "expect" in value;
  const replies = toCommands(place, isWhole ? value["expect"] : value["change"]);
  return {
    reason: value["reason"],
    replies: replies.map((reply) => isWhole ? { whole: reply } : { change: reply }),
  };
}

function toCommands(place: string, value: unknown): readonly Document[] {
  const commands = Array.isArray(value) ? value : [value];
  assert(commands.every(isPlainObject), `${place}: expected documents`);
  return commands;
}

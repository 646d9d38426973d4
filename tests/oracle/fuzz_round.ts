/**
 * One round of the fuzzer, in one process: random questions of one seed about one set of random documents, put to MongoDB and to
 * ChronoGo, each of which is started for the round.
 */
import { type Document, EJSON } from "bson";
import { startMongod } from "../support/mongod.ts";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";
import type { CaseFile, OracleCase } from "./case_file.ts";
import { compare, describe, type Difference } from "./compare.ts";
import { isObject } from "./normalize.ts";
import { INDEX_KEYS, RandomQueries } from "./random_query.ts";
import { replay } from "./replay.ts";
import { type Question, shrink } from "./shrink.ts";

const DOCUMENTS = 120;
const SHOWN = 40;
/** Differences that are made small: each takes some seconds. */
const SHRUNK = 10;

/** The two that are asked. */
interface Servers {
  readonly oracle: WireClient;
  readonly chronogo: WireClient;
}

/** One in three of a time series, one of collections and views, one that writes. */
const ASKED = [
  "series",
  "plain",
  "changed",
  "series",
  "indexed",
  "changed",
  "series",
  "plain",
  "changed",
  "view",
];
/** Asked before all else. One index a command: documents with arrays on both paths of the last one keep it from being built. */
const SET_UP = toCase(
  "indexes",
  INDEX_KEYS.map((key) => ({ createIndexes: "indexed", indexes: [{ key, name: JSON.stringify(key) }] })),
);

function randomQuestions(seed: number, count: number): { documents: Document[]; cases: OracleCase[] } {
  const queries = new RandomQueries(seed);
  const documents = queries.documents(DOCUMENTS);
  const cases = Array.from({ length: count }, (_, index) => {
    const name = `seed ${seed}, question ${index}`;
    const collection = ASKED[index % ASKED.length]!;
    return toCase(
      name,
      collection === "changed" ? queries.write(collection, "plain") : queries.commands(collection),
    );
  });
  return { documents, cases: [SET_UP, ...cases] };
}

function toCase(name: string, commands: readonly Document[]): OracleCase {
  return { name, oracle: commands, chronogo: commands, differs: undefined };
}

/** The documents in collections of all kinds. */
function caseFile(documents: readonly Document[], cases: readonly OracleCase[]): CaseFile {
  const timeseries = { timeField: "t", metaField: "m" };
  const pipeline = [{ $match: { c: { $gt: 2 } } }, { $set: { v: { $add: ["$c", "$d"] } } }];
  const collections = [
    { name: "series", create: { timeseries }, documents },
    { name: "plain", create: undefined, documents },
    { name: "indexed", create: undefined, documents },
    { name: "view", create: { viewOn: "plain", pipeline }, documents: [] },
  ];
  return { topic: "fuzz", isolated: false, replicaSet: false, collections, cases };
}

async function differencesOf({ oracle, chronogo }: Servers, file: CaseFile): Promise<readonly Difference[]> {
  const [expected, actual] = await Promise.all([
    replay(oracle, file, "oracle"),
    replay(chronogo, file, "chronogo"),
  ]);
  return compare(file, expected, actual);
}

/** The difference with the documents that are left, made as small as it goes. */
async function describeSmall(servers: Servers, question: Question, found: Difference): Promise<string> {
  const name = found.caseName;
  const ask = async ({ documents, commands }: Question) => {
    const differences = await differencesOf(servers, caseFile(documents, [SET_UP, toCase(name, commands)]));
    return differences.find(({ caseName }) => caseName === name);
  };
  const small = await shrink(question, async (smaller) => {
    const difference = await ask(smaller);
    return difference && kindOf(difference);
  });
  const difference = await ask(small);
  if (difference === undefined) return `${describe(found)}\n    answered alike when asked alone`;
  return [
    describe(difference),
    ...(small.commands.length > 1 ? listed("commands", small.commands) : []),
    ...listed("documents", small.documents),
  ].join("\n");
}

function listed(title: string, documents: readonly Document[]): string[] {
  const lines = documents.map((document) => `      ${EJSON.stringify(document, { relaxed: false })}`);
  return [`    ${title}:`, ...lines];
}

/** The codes of the two answers, as far as they are errors: what shrinking must not change. */
function kindOf({ expected, actual }: Difference): string {
  const codeOf = (reply: Difference["actual"]) => isObject(reply) ? JSON.stringify(reply["code"]) : undefined;
  return `${codeOf(expected)}, ${codeOf(actual)}`;
}

/** Asks, and prints where the answers part. @returns how many do */
export async function fuzzRound(seed: number, count: number): Promise<number> {
  const mongod = await startMongod();
  try {
    await using server = await startServerProcess();
    const [oracle, chronogo] = await Promise.all([
      WireClient.connect(mongod.port),
      WireClient.connect(server.port),
    ]);
    try {
      return await ask({ oracle, chronogo }, seed, count);
    } finally {
      oracle.close();
      chronogo.close();
    }
  } finally {
    await mongod.stop();
  }
}

async function ask(servers: Servers, seed: number, count: number): Promise<number> {
  const { documents, cases } = randomQuestions(seed, count);
  const differences = await differencesOf(servers, caseFile(documents, cases));
  const commandsOf = new Map(cases.map(({ name, oracle }) => [name, oracle]));
  for (const [index, difference] of differences.slice(0, SHOWN).entries()) {
    const question = { documents, commands: commandsOf.get(difference.caseName) ?? [] };
    const text = index < SHRUNK ? await describeSmall(servers, question, difference) : describe(difference);
    console.log(text + "\n");
  }
  return differences.length;
}

/** What differs between MongoDB's recorded answers and ChronoGo's, told so that a reader sees it at once. */
import { EJSON } from "bson";
import type { CaseFile, OracleCase } from "./case_file.ts";
import { formatJson } from "./golden.ts";
import { isObject, type Json, normalizeExpected, type Replies, sortKeys } from "./normalize.ts";

/** One reply that is not what it should be. */
export interface Difference {
  readonly topic: string;
  readonly caseName: string;
  /** The command, in relaxed Extended JSON. */
  readonly command: string;
  /** Where in the reply they part: `cursor.firstBatch.2.a`. */
  readonly path: string;
  readonly expected: Json | undefined;
  readonly actual: Json | undefined;
  /** Why ChronoGo should answer otherwise than MongoDB, where it should. */
  readonly reason: string | undefined;
}

/** Compares ChronoGo's replies to a topic's cases with the recorded ones. */
export function compare(
  file: CaseFile,
  golden: ReadonlyMap<string, Replies>,
  actual: ReadonlyMap<string, Replies>,
): Difference[] {
  return file.cases.flatMap((oracleCase) => {
    const recorded = golden.get(oracleCase.name);
    if (recorded === undefined) return [unrecorded(file, oracleCase)];
    const expected = expectedReplies(file, oracleCase, recorded);
    const replies = actual.get(oracleCase.name) ?? [];
    const index = expected.findIndex((reply, at) => JSON.stringify(reply) !== JSON.stringify(replies[at]));
    if (index < 0 && expected.length === replies.length) return [];
    const [path, left, right] = firstDifference(
      expected[Math.max(index, 0)],
      replies[Math.max(index, 0)],
      [],
    );
    return [{
      topic: file.topic,
      caseName: oracleCase.name,
      command: EJSON.stringify(oracleCase.chronogo[Math.max(index, 0)] ?? {}, { relaxed: true }),
      path,
      expected: left,
      actual: right,
      reason: oracleCase.differs?.reason,
    }];
  });
}

/** A difference as lines of text. */
export function describe(difference: Difference): string {
  const { topic, caseName, command, path, expected, actual, reason } = difference;
  return [
    `${topic}: ${caseName}`,
    `    command:  ${command}`,
    `    at:       ${path === "" ? "the whole reply" : path}`,
    `    ${reason === undefined ? "MongoDB: " : "expected:"} ${text(expected)}`,
    `    ChronoGo: ${text(actual)}`,
    ...(reason === undefined ? [] : [`    differs from MongoDB on purpose: ${reason}`]),
  ].join("\n");
}

function text(value: Json | undefined): string {
  return value === undefined ? "(nothing)" : formatJson(value, " ".repeat(14));
}

function unrecorded(file: CaseFile, oracleCase: OracleCase): Difference {
  return {
    topic: file.topic,
    caseName: oracleCase.name,
    command: EJSON.stringify(oracleCase.oracle[0] ?? {}, { relaxed: true }),
    path: "no recorded answer; run `deno task oracle`",
    expected: undefined,
    actual: undefined,
    reason: undefined,
  };
}

/** MongoDB's replies, with ChronoGo's own where the case states them. */
function expectedReplies(file: CaseFile, oracleCase: OracleCase, recorded: Replies): Replies {
  const { differs, chronogo } = oracleCase;
  if (differs === undefined) return recorded;
  return differs.replies.map((reply, at) => {
    const command = chronogo[at] ?? {};
    if ("whole" in reply) return normalizeExpected(reply.whole, command, file);
    const changed = normalizeExpected(reply.change, command, file);
    const original = recorded[at] ?? {};
    return isObject(changed) && isObject(original) ? sortKeys({ ...original, ...changed }) : original;
  });
}

/** The deepest place where two values part. An error's whole reply is shown: its parts explain each other. */
function firstDifference(
  expected: Json | undefined,
  actual: Json | undefined,
  path: readonly string[],
): [string, Json | undefined, Json | undefined] {
  const here: [string, Json | undefined, Json | undefined] = [path.join("."), expected, actual];
  const pairs = childrenOf(expected, actual);
  if (pairs === undefined || isError(expected) || isError(actual)) return here;
  const differing = pairs.find(([, left, right]) => JSON.stringify(left) !== JSON.stringify(right));
  return differing === undefined
    ? here
    : firstDifference(differing[1], differing[2], [...path, differing[0]]);
}

function childrenOf(
  expected: Json | undefined,
  actual: Json | undefined,
): [string, Json | undefined, Json | undefined][] | undefined {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return undefined;
    return expected.map((item, index) => [String(index), item, actual[index]]);
  }
  if (!isObject(expected) || !isObject(actual)) return undefined;
  const keys = Object.keys(expected);
  if (keys.join() !== Object.keys(actual).join() || keys.some((key) => key.startsWith("$"))) return undefined;
  return keys.map((key) => [key, expected[key], actual[key]]);
}

function isError(reply: Json | undefined): boolean {
  return isObject(reply) && "errmsg" in reply;
}

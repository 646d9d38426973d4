/**
 * Makes a question on which two servers disagree small: takes away documents, then any part of the commands and of the
 * documents, as long as the answers still differ in the same way.
 *
 * What sorts stays: without it the order is open, and the difference another one.
 */
import type { Document } from "bson";
import { isPlainObject } from "./yaml_bson.ts";

/** Documents, and the commands that are answered otherwise about them. */
export interface Question {
  readonly documents: readonly Document[];
  readonly commands: readonly Document[];
}

/** How two answers part; undefined when they do not. */
export type Disagreement = (question: Question) => Promise<string | undefined>;

const MAX_ATTEMPTS = 300;
const KEPT_KEYS: ReadonlySet<string> = new Set([
  "sort",
  "$sort",
  "sortBy",
  "cursor",
  "$limit",
  "batchSize",
  "_id",
  "t",
  "classic",
]);

/** @returns the smallest question that was found, and that is still answered otherwise */
export async function shrink(question: Question, disagreement: Disagreement): Promise<Question> {
  const kind = await disagreement(question);
  if (kind === undefined) return question;
  let left = MAX_ATTEMPTS;
  const stays = async (smaller: Question) => left-- > 0 && await disagreement(smaller) === kind;
  let current = await withFewerDocuments(question, stays);
  for (let smaller = await withFewerParts(current, stays); smaller !== current;) {
    current = smaller;
    smaller = await withFewerParts(current, stays);
  }
  return current;
}

/** Takes away each part once. */
async function withFewerParts(
  question: Question,
  stays: (smaller: Question) => Promise<boolean>,
): Promise<Question> {
  let current = question;
  let needed = 0;
  for (let next = nthSmaller(current, needed); next !== undefined; next = nthSmaller(current, needed)) {
    if (await stays(next)) current = next;
    else needed++;
  }
  return current;
}

function nthSmaller(question: Question, n: number): Question | undefined {
  return smallerQuestions(question).drop(n).next().value;
}

/** Takes away ever smaller runs of documents (Zeller's delta debugging, without its complements). */
async function withFewerDocuments(
  question: Question,
  stays: (smaller: Question) => Promise<boolean>,
): Promise<Question> {
  let documents = question.documents;
  for (let size = Math.ceil(documents.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < documents.length;) {
      const fewer = documents.toSpliced(at, size);
      if (await stays({ ...question, documents: fewer })) documents = fewer;
      else at += size;
    }
  }
  return { ...question, documents };
}

function* smallerQuestions({ documents, commands }: Question): Generator<Question> {
  for (let i = 0; i < commands.length; i++) {
    const command = commands[i]!;
    const name = Object.keys(command)[0]!;
    for (const smaller of smallerValues(command)) {
      if (isPlainObject(smaller) && Object.keys(smaller)[0] === name && smaller[name] === command[name]) {
        yield { documents, commands: commands.with(i, smaller) };
      }
    }
  }
  for (let i = 0; i < documents.length; i++) {
    for (const smaller of smallerValues(documents[i]!)) {
      yield { documents: documents.with(i, smaller as Document), commands };
    }
  }
}

/** The value without one of its parts, at any depth; the outermost parts first. */
function* smallerValues(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!isKept(value[i])) yield value.toSpliced(i, 1);
    }
    for (let i = 0; i < value.length; i++) {
      for (const smaller of smallerValues(value[i])) yield value.with(i, smaller);
    }
  } else if (isPlainObject(value)) {
    const names = Object.keys(value).filter((name) => !KEPT_KEYS.has(name));
    for (const name of names) yield without(value, name);
    for (const name of names) {
      for (const smaller of smallerValues(value[name])) yield { ...value, [name]: smaller };
    }
  }
}

/** Whether a stage is one that stays, or made of what stays. */
function isKept(stage: unknown): boolean {
  if (!isPlainObject(stage)) return false;
  const [name, ...others] = Object.keys(stage);
  if (name === undefined || others.length > 0) return false;
  const inner = stage[name];
  return KEPT_KEYS.has(name) ||
    (isPlainObject(inner) && !isEmpty(inner) && Object.keys(inner).every((key) => KEPT_KEYS.has(key)));
}

function isEmpty(object: Record<string, unknown>): boolean {
  return Object.keys(object).length === 0;
}

function without(value: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
}

/** What the tests of the node share: small files, documents that carry one number, collections read to their end. */
import { SILENT_LOGGER } from "../base/mod.ts";
import { BuiltDocument, encodeDocument, Int32, RawDocument, UtcDate } from "../bson/mod.ts";
import { type Disk, SimulatedClock } from "../io/mod.ts";
import { type CommandContext, newScanCounters } from "../query/mod.ts";
import type { Namespace } from "./catalog.ts";
import { Node, type NodeOptions } from "./node.ts";
import type { CollectionSpec } from "./router.ts";
import type { Transaction } from "./transaction.ts";
import type { RetryableWrite, WriteStatement } from "./write_statement.ts";

export const PLAIN: CollectionSpec = { options: BuiltDocument.EMPTY };
export const TIMESERIES: CollectionSpec = {
  timeseries: { timeField: "t", metaField: "m", granularity: "seconds", bucketMaxSpanSeconds: 3600 },
  options: BuiltDocument.EMPTY,
};

/** A node whose log has small files, so that few entries fill one. */
export function openNode(disk: Disk, options: Partial<NodeOptions> = {}): Promise<Node> {
  return Node.open({
    disk,
    clock: new SimulatedClock(),
    logger: SILENT_LOGGER,
    documentsPath: ":memory:",
    logSizes: { fileBytes: 2048, chunkBytes: 512 },
    logRetention: { bytes: 4 * 2048, ms: 3_600_000 },
    ...options,
  });
}

/** A document for either kind of collection, told apart by its number. */
export function numbered(n: number): RawDocument {
  const document = BuiltDocument.of({
    _id: Int32.of(n),
    t: new UtcDate(1_700_000_000_000 + n * 1000),
    m: Int32.of(n % 3),
    n: Int32.of(n),
  });
  return new RawDocument(encodeDocument(document));
}

/** Stores numbered documents; throws the first error of any of them. */
export async function insertNumbers(
  node: Node,
  namespace: Namespace,
  numbers: readonly number[],
  retryable?: RetryableWrite,
): Promise<void> {
  const { errors } = await node.router.insert(namespace, numbers.map(numbered), true, { retryable });
  if (errors[0] !== undefined) throw errors[0].error;
}

/** As `insertNumbers`, in a transaction. */
export async function insertNumbersIn(
  transaction: Transaction,
  node: Node,
  namespace: Namespace,
  numbers: readonly number[],
): Promise<void> {
  const { errors } = await node.router.insert(namespace, numbers.map(numbered), true, { transaction });
  if (errors[0] !== undefined) throw errors[0].error;
}

/** Adds to the numbers of documents, in one update. Throws its error. */
export function renumber(
  node: Node,
  namespace: Namespace,
  numbers: readonly number[],
  offset: number,
  transaction?: Transaction,
): Promise<void> {
  const update = BuiltDocument.of({ $inc: BuiltDocument.of({ n: Int32.of(offset) }) });
  const statement = { kind: "update", filter: withNumbers(numbers), update, multi: true } as const;
  return write(node, namespace, statement, transaction);
}

/** Deletes documents by their numbers, in one statement. Throws its error. */
export function deleteNumbers(
  node: Node,
  namespace: Namespace,
  numbers: readonly number[],
  transaction?: Transaction,
): Promise<void> {
  const statement = { kind: "delete", filter: withNumbers(numbers), multi: true } as const;
  return write(node, namespace, statement, transaction);
}

function withNumbers(numbers: readonly number[]): BuiltDocument {
  return BuiltDocument.of({ n: BuiltDocument.of({ $in: numbers.map((n) => Int32.of(n)) }) });
}

async function write(
  node: Node,
  namespace: Namespace,
  statement: WriteStatement,
  transaction: Transaction | undefined,
): Promise<void> {
  const context = anyContext(transaction);
  const [result] = await node.router.write(namespace, [statement], { ordered: true, context });
  if (result?.error !== undefined) throw result.error;
}

function anyContext(snapshot?: Transaction): CommandContext {
  return {
    snapshot,
    nowMs: 0,
    variables: new Map(),
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
  };
}

/** The numbers of all documents of a collection, ascending, each as often as it is there. */
export async function numbersIn(
  node: Node,
  namespace: Namespace,
  transaction?: Transaction,
): Promise<number[]> {
  const context = anyContext(transaction);
  const numbers: number[] = [];
  for await (const batch of node.router.query(namespace, { command: "find", stages: [] }, context)) {
    for (const document of batch) {
      const n = document.get("n");
      numbers.push(n instanceof Int32 ? n.value : NaN);
    }
  }
  return numbers.sort((a, b) => a - b);
}

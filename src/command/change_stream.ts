/**
 * `$changeStream`: a pipeline over what happens from now on, or from a place that the client kept. Events come from a feed over the
 * log; the stages behind the first run on them piece by piece; the answer tells the place up to which all was looked at, so
 * that a client whose events are few can go on from there.
 */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, isNumber, type Value } from "../bson/mod.ts";
import {
  type ChangeEvent,
  type ChangeFeed,
  type Namespace,
  namespaceText,
  type Scope,
  tokenOf,
} from "../cluster/mod.ts";
import {
  ArraySource,
  checkLeavingSize,
  collectRows,
  parsePipeline,
  type Pipeline,
  renderDocument,
  type Rows,
  withContext,
} from "../query/mod.ts";
import {
  CHANGE_STREAM,
  type ChangeStreamSpec,
  checkReadConcern,
  checkStagesBehind,
  parseChangeStreamSpec,
} from "./change_stream_spec.ts";
import { collationFor } from "./collation.ts";
import type { CommandCall } from "./command.ts";
import { replyFirstBatch } from "./cursor_reply.ts";
import { isResumable, RESUMABLE_CHANGE_STREAM } from "./error_labels.ts";
import { type LetVariables, letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { allowsDiskUse } from "./query_options.ts";
import { EventSplitter, withoutSplit } from "./split_event.ts";
import { Tail } from "./tail.ts";

/** Databases that are nobody's data. */
const INTERNAL: ReadonlySet<string> = new Set(["admin", "config", "local"]);
/** What a stream over a database is named in answers. */
const NO_COLLECTION = "$cmd.aggregate";

/** Whether a pipeline begins with `$changeStream`. */
export function isChangeStream(stages: readonly Value[]): boolean {
  const first = stages[0];
  return first instanceof Document && first.names()[0] === CHANGE_STREAM;
}

/** A stream that may be opened. */
interface ParsedStream {
  readonly spec: ChangeStreamSpec;
  readonly scope: Scope;
  /** What it is named in answers. */
  readonly namespace: Namespace;
  readonly variables: LetVariables;
  /** The stages behind it. */
  readonly pipeline: Pipeline;
  /** Whether large events are split behind these. */
  readonly splits: boolean;
}

/** @throws CommandError when there can be no such stream */
function parseStream(call: CommandCall, given: readonly Value[]): ParsedStream {
  const { args, db } = call;
  const { stages, splits } = withoutSplit(given);
  const spec = parseChangeStreamSpec((stages[0] as Document).values()[0]);
  const target = isNumber(args.get("aggregate")) ? undefined : namespaceToRead(call);
  const scope = scopeOf(call, spec, target);
  checkReadConcern(args);
  const namespace = target ?? { db, collection: NO_COLLECTION };
  const variables = letVariables(args, call.operation, collationFor(call, namespace));
  checkStagesBehind(stages.slice(1), (stage) => parsePipeline([stage], variables.context).stages);
  return { spec, scope, namespace, variables, pipeline: parsePipeline(stages, variables.context, 1), splits };
}

/** What `explain` tells of a stream: the log is read in its order, and each event goes through the stages. */
export function changeStreamPlan(call: CommandCall, stages: readonly Value[]): Document {
  parseStream(call, stages);
  return BuiltDocument.of({ explainVersion: "1", stages });
}

/** Runs an aggregate that begins with `$changeStream`. */
export async function runChangeStream(
  call: CommandCall,
  reply: BsonWriter,
  stages: readonly Value[],
  batchSize: number | undefined,
): Promise<void> {
  const { args, db, state: { services: { router } } } = call;
  const { spec, scope, namespace, variables, pipeline, splits } = parseStream(call, stages);
  const work = new QueryWork(call.operation, variables.values, allowsDiskUse(args));
  const run = (events: readonly Document[]) =>
    collectRows(router.queryRows(db, new ArraySource(events), pipeline, work));
  const { feed, splitter } = opened(() => ({
    feed: router.changeFeed({ ...spec, scope }),
    splitter: new EventSplitter(splits, spec.from),
  }));
  const tail = new ChangeStreamTail(feed, run, pipeline, splitter);
  await replyFirstBatch(call, reply, {
    namespace: namespaceText(namespace),
    rows: tail.rows(work.checkpoint),
    work,
    batchSize,
    tail,
  }).catch((error) => {
    throw inStream("PlanExecutor error during aggregation", error);
  });
}

function opened<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw inStream("PlanExecutor error during aggregation", error);
  }
}

/** Errors of the stream itself, which say where they happened. */
const OWN_ERRORS: ReadonlySet<string> = new Set([
  "BSONObjectTooLarge",
  "ChangeStreamFatalError",
  "ChangeStreamHistoryLost",
  "NoMatchingDocument",
]);

function inStream(context: string, error: unknown): unknown {
  const isOwn = error instanceof CommandError && OWN_ERRORS.has(error.codeName);
  return isOwn ? withContext(context, error) : error;
}

/** @throws CommandError when there can be no stream there */
function scopeOf(call: CommandCall, spec: ChangeStreamSpec, namespace: Namespace | undefined): Scope {
  const { db } = call;
  if (spec.allChangesForCluster) {
    if (db === "admin" && namespace === undefined) return { kind: "deployment" };
    const found = namespaceText(namespace ?? { db, collection: NO_COLLECTION });
    throw new CommandError(
      "InvalidOptions",
      "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection " +
        `name; found ${found}`,
    );
  }
  if (INTERNAL.has(db)) throw refused(`${db} database`);
  if (namespace === undefined) return { kind: "database", db };
  if (namespace.collection.startsWith("system.")) throw refused(`${namespaceText(namespace)} collection`);
  if (call.state.services.router.collection(namespace)?.view !== undefined) {
    throw new CommandError(
      "CommandNotSupportedOnView",
      `Namespace ${namespaceText(namespace)} is a view, not a collection`,
    );
  }
  return { kind: "collection", namespace };
}

function refused(what: string): CommandError {
  return new CommandError("InvalidNamespace", `$changeStream may not be opened on the internal ${what}`);
}

type RunStages = (events: readonly Document[]) => Promise<readonly Document[]>;

class ChangeStreamTail extends Tail {
  /** Behind all that the rows gave. */
  private drained: Value;
  /** Behind the last document that was returned. */
  private token: Value;
  private isInvalidated = false;

  constructor(
    private readonly feed: ChangeFeed,
    private readonly run: RunStages,
    private readonly pipeline: Pipeline,
    private readonly splitter: EventSplitter,
  ) {
    super();
    this.drained = this.token = tokenOf(feed.start);
  }

  async *rows(checkpoint: () => Promise<void>): Rows {
    const forget = this.feed.onAppended(this.notify);
    try {
      for (;;) {
        const { events, isAtEnd, position } = this.feed.next();
        const end = events.findIndex(({ isInvalidate }) => isInvalidate) + 1;
        const told = end === 0 ? events : events.slice(0, end);
        const documents = this.splitter.split(await this.throughStages(told));
        this.drained = tokenOf(end === 0 ? position : told.at(-1)!.position);
        if (documents.length > 0) yield documents;
        if (end > 0) {
          this.isInvalidated = true;
          return;
        }
        await checkpoint();
        if (isAtEnd && !await this.wait()) yield [];
      }
    } finally {
      forget();
    }
  }

  private async throughStages(events: readonly ChangeEvent[]): Promise<readonly Document[]> {
    const documents = events.map(({ document }) => document);
    if (events.length === 0 || this.pipeline.stages.length === 0) return documents;
    const shown = await this.run(documents);
    if (!keepTokens(documents, shown)) await this.findChangedToken(documents);
    return shown;
  }

  /** @throws CommandError that names the event whose token is gone */
  private async findChangedToken(documents: readonly Document[]): Promise<void> {
    for (const document of documents) {
      const [shown] = await this.run([document]);
      if (shown !== undefined && dataOf(shown) !== dataOf(document)) throw tokenChanged(document, shown);
    }
  }

  override returned(document: Document, sizeBytes: number): void {
    checkLeavingSize(document, sizeBytes);
    this.token = document.get("_id");
  }

  override fields(isDrained: boolean): Readonly<Record<string, Value>> {
    if (isDrained) this.token = this.drained;
    return {
      postBatchResumeToken: this.token,
      invalidated: this.isInvalidated && isDrained ? true : undefined,
    };
  }

  override failure(error: unknown): unknown {
    if (!(error instanceof CommandError) || !isResumable(error.code)) {
      return inStream("Executor error during getMore", error);
    }
    const { code, message, errorLabels, extra } = error;
    return new CommandError(code, message, { errorLabels: [...errorLabels, RESUMABLE_CHANGE_STREAM], extra });
  }
}

/** Whether the documents that came through the stages have the tokens that they went in with. */
function keepTokens(documents: readonly Document[], shown: readonly Document[]): boolean {
  let at = 0;
  for (const document of shown) {
    const data = dataOf(document);
    while (at < documents.length && dataOf(documents[at]!) !== data) at++;
    if (data === undefined || at++ === documents.length) return false;
  }
  return true;
}

/** The text of a document's token; undefined where it has no such token, or more in it. */
function dataOf(document: Document): Value {
  const id = document.get("_id");
  return id instanceof Document && id.names().length === 1 ? id.get("_data") : undefined;
}

function tokenChanged(expected: Document, found: Document): CommandError {
  const id = found.get("_id");
  const foundText = id === undefined ? "{}" : renderDocument(new BuiltDocument(["_id"], [id]));
  return new CommandError(
    "ChangeStreamFatalError",
    "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id " +
      "field of an event makes it impossible to resume the stream from that point. Only transformations that retain the " +
      `unmodified _id field are allowed. Expected: { _id: { _data: "${
        dataOf(expected)
      }" } } but found: ${foundText}`,
    { errorLabels: ["NonResumableChangeStreamError"] },
  );
}

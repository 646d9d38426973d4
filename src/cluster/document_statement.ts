/**
 * One update or delete on a regular collection, evaluated in the open transaction of the store. It is a generator that
 * yields every few documents, so that its runner may let others work, or log what was done so far: as in MongoDB, a statement on
 * many documents is atomic for each of them, not as a whole.
 */
import { CommandError, MAX_DOCUMENT_BYTES, MAX_STORED_DEPTH, takeLongWork } from "../base/mod.ts";
import { type Document, encodeDocument, isDeeperThan, RawDocument } from "../bson/mod.ts";
import {
  type CommandContext,
  DeltaBuilder,
  type PlaceIndex,
  type SourceIndex,
  withContext,
  WritePlan,
  type WriteSpec,
} from "../query/mod.ts";
import { type CollectionLimits, documentOf, type StoredRow, type StoreWriter } from "../storage/mod.ts";
import { clusteredOrder, takenError } from "./clustered.ts";
import type { DocumentCheck } from "./document_check.ts";
import { withIdFirst } from "./document_id.ts";
import type { StatementResult, WriteStatement } from "./write_statement.ts";

/** Documents looked at between two yields. */
const DOCUMENTS_AT_ONCE = 64;

const NO_INDEXES = () => [];

/** What a statement reads and writes: the open transaction of the store, or one of a client. */
export type WrittenDocuments = Pick<
  StoreWriter,
  "hasCollection" | "candidates" | "insert" | "replace" | "delete" | "evict" | "blockedBy"
>;

/** Why a statement pauses: to let others work, or until a transaction ends that has what it is about to write. */
export type Pause = void | Promise<void>;

export interface DocumentCollection {
  readonly store: WrittenDocuments;
  readonly id: number;
  /** `db.collection`, for the words of errors. */
  readonly namespace: string;
  readonly indexes?: () => readonly SourceIndex[];
  readonly placeIndexes?: readonly PlaceIndex[] | undefined;
  /** The name of the index that it is clustered by. */
  readonly clusteredIndex?: string | undefined;
  /** What a document must pass; undefined where every one may be written. */
  readonly check?: DocumentCheck | undefined;
  readonly limits?: CollectionLimits | undefined;
  /** Whether the log keeps documents as they were before a change of theirs. */
  readonly keepsPreImages?: boolean;
}

/** @throws CommandError for which the transaction must be rolled back: see `failsTransaction` */
export function* runStatement(
  collection: DocumentCollection,
  statement: WriteStatement,
  context: CommandContext,
): Generator<Pause, StatementResult, undefined> {
  try {
    const run = new StatementRun(collection, statement, context);
    try {
      return yield* run.result();
    } catch (error) {
      throw shownError(statement, error);
    }
  } catch (error) {
    if (error instanceof CommandError && !failsTransaction(error)) return { matched: 0, modified: 0, error };
    throw error;
  }
}

/** An error on a document as MongoDB words it: where one is given back, it says that in front. */
export function shownError(statement: WriteStatement, error: unknown): unknown {
  return statement.returning === undefined
    ? error
    : withContext("Plan executor error during findAndModify", error);
}

/** Whether an error is the store's own: then nothing of the open transaction may be kept. */
export function failsTransaction(error: CommandError): boolean {
  return error.codeName === "OutOfDiskSpace" || error.codeName === "InternalError";
}

/** What the statement asks of a plan. */
export function specOf(statement: WriteStatement): WriteSpec {
  const { filter, sort, hint, returning, collation } = statement;
  return {
    filter,
    sort,
    hint,
    collation,
    projection: returning?.projection,
    update: statement.kind === "delete" ? undefined : statement,
    upsert: statement.kind === "update" && statement.upsert,
  };
}

/** A document to be written, and where it stands. */
interface Target {
  readonly row: StoredRow;
  readonly document: RawDocument;
}

class StatementRun {
  private readonly plan: WritePlan;
  private matched = 0;
  private modified = 0;
  private document: Document | undefined;

  constructor(
    private readonly collection: DocumentCollection,
    private readonly statement: WriteStatement,
    context: CommandContext,
  ) {
    this.plan = new WritePlan(specOf(statement), context);
    this.plan.checkDistances(collection.placeIndexes);
  }

  *result(): Generator<Pause, StatementResult, undefined> {
    for (;;) {
      const result = yield* this.attempt();
      if (result !== undefined) return result;
    }
  }

  /** @returns undefined where the one document that it found was another's meanwhile, and is to be looked for again */
  private *attempt(): Generator<Pause, StatementResult | undefined, undefined> {
    const { statement } = this;
    for (const target of this.targets()) {
      if (target === undefined) {
        yield;
        this.checkNotDropped();
        continue;
      }
      let current: Target | undefined = target;
      for (let freed = this.write(target); freed !== undefined && current !== undefined;) {
        yield freed;
        this.checkNotDropped();
        current = this.again(current);
        freed = current && this.write(current);
      }
      if (current === undefined && statement.multi !== true) return undefined;
    }
    if (this.matched > 0 || statement.kind !== "update" || statement.upsert !== true) return this.done();
    const document = withIdFirst(storable(this.plan.inserted(), true));
    const freed = this.collection.store.blockedBy(this.collection.id, document);
    if (freed === undefined) return this.upsert(document);
    yield freed;
    this.checkNotDropped();
    return undefined;
  }

  /** A document that was another's, as it is now; undefined where it is not meant any more. */
  private again({ document: old }: Target): Target | undefined {
    for (
      const [row] of this.collection.store.candidates(this.collection.id, { ids: [old.get("_id")] })
    ) {
      const document = documentOf(row!);
      return this.plan.matches(document) ? { row: row!, document } : undefined;
    }
    return undefined;
  }

  private checkNotDropped(): void {
    const { store, id } = this.collection;
    if (!store.hasCollection(id)) throw new CommandError("QueryPlanKilled", "collection dropped");
  }

  private done(): StatementResult {
    const { matched, modified, document } = this;
    return document === undefined ? { matched, modified } : { matched, modified, document };
  }

  /** The documents to write; undefined now and then, between them. */
  private *targets(): Generator<Target | undefined, void, undefined> {
    const { plan, statement } = this;
    const limit = statement.multi !== true ? 1 : statement.kind === "delete" ? statement.limit : undefined;
    let best: Target | undefined;
    let looked = 0;
    let found = 0;
    for (const row of this.candidates()) {
      if (++looked % DOCUMENTS_AT_ONCE === 0 || takeLongWork()) yield undefined;
      const document = documentOf(row);
      if (!plan.matches(document)) continue;
      const target = { row, document };
      if (statement.multi !== true && plan.order !== undefined) {
        if (best === undefined || plan.order(document, best.document) < 0) best = target;
        continue;
      }
      yield target;
      if (++found === limit) return;
    }
    if (best !== undefined) yield best;
  }

  private *candidates(): Generator<StoredRow, void, undefined> {
    const { store, id, indexes, clusteredIndex } = this.collection;
    const { index, ...order } = this.plan.lookup(indexes ?? NO_INDEXES);
    // What a statement on many documents changes moves in the index: each is met once all the same.
    const isMany = this.statement.multi === true;
    const once = index && { index: isMany ? { ...index, repeats: true } : index };
    for (const batch of store.candidates(id, clusteredOrder(clusteredIndex, once ?? order))) {
      yield* batch;
    }
  }

  /** @returns what has to be waited for before the document can be written; undefined where it is */
  private write({ row, document: old }: Target): Promise<void> | undefined {
    const { statement, plan } = this;
    const { store, id } = this.collection;
    const freed = store.blockedBy(id, old);
    if (freed !== undefined) return freed;
    if (statement.kind === "delete") {
      store.delete(id, old, row, this.preImage(old));
      this.modified++;
      this.show(old, undefined);
    } else {
      const noted = new DeltaBuilder();
      const changed = plan.updated(old, noted);
      if (changed !== old) {
        const stored = storable(changed);
        const taken = store.blockedBy(id, stored);
        if (taken !== undefined) return taken;
        this.replace(old, stored, row, noted);
        this.modified++;
      }
      this.show(old, changed);
    }
    this.matched++;
    return undefined;
  }

  private replace(old: RawDocument, changed: RawDocument, row: StoredRow, noted: DeltaBuilder): void {
    const { store, id, check } = this.collection;
    const refusal = check?.(changed, old);
    if (refusal !== undefined) throw refusal;
    const changes = this.plan.deltaOf(old, changed, noted);
    const taken = store.replace(id, changed, row, {
      ...this.preImage(old),
      ...(changes && { changes }),
    });
    if (taken !== undefined) throw takenError(this.collection, taken);
  }

  private preImage(old: RawDocument): { readonly before?: RawDocument } {
    return this.collection.keepsPreImages === true ? { before: old } : {};
  }

  private show(before: Document | undefined, after: Document | undefined): void {
    const { returning } = this.statement;
    if (returning === undefined) return;
    const document = returning.which === "before" ? before : after;
    this.document = document && this.plan.shown(document);
  }

  private upsert(document: RawDocument): StatementResult {
    const { store, id, check, limits } = this.collection;
    const upsertedId = document.get("_id");
    const refusal = check?.(document);
    if (refusal !== undefined) throw refusal;
    const taken = store.insert(id, document);
    if (taken !== undefined) throw takenError(this.collection, taken);
    if (limits !== undefined) store.evict(id, limits);
    this.show(undefined, document);
    return { ...this.done(), upsertedId };
  }
}

/** The document as bytes. @param isNew made by an upsert @throws CommandError when it is too large or too deep */
export function storable(document: Document, isNew = false): RawDocument {
  const bytes = encodeDocument(document);
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw isNew
      ? new CommandError(17420, `Document to upsert is larger than ${MAX_DOCUMENT_BYTES}`)
      : new CommandError(17419, `Resulting document after update is larger than ${MAX_DOCUMENT_BYTES}`);
  }
  const stored = new RawDocument(bytes);
  if (isDeeperThan(stored, MAX_STORED_DEPTH)) {
    throw new CommandError("Overflow", `Document exceeds maximum nesting depth of ${MAX_STORED_DEPTH}`);
  }
  return stored;
}

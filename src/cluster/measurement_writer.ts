/**
 * Writes to time-series collections.
 *
 * Inserts go to the log as they come. Changes of one collection run one after another, from scan to application, and
 * passes of retention with them: a row's identity in the log is its place among those of its series and time, and must
 * be there what it was when it was found. Inserts need not wait: each that is logged meanwhile is told to the change
 * that runs.
 */
import { takeLongWork } from "../base/mod.ts";
import type { Document, RawDocument } from "../bson/mod.ts";
import {
  type DoneStatements,
  type PlacedRow,
  type PreparedBatch,
  type TableChange,
  type TimeseriesStore,
} from "../storage/mod.ts";
import { EntryKind } from "./entry.ts";
import type { MeasurementChange, MeasurementChanges } from "./measurement_change.ts";
import { DoneInserts } from "./retryable_write.ts";
import type { RetryableWrite } from "./write_statement.ts";
import type { InsertResult } from "./router.ts";

/** Logs what is to be applied to a table, and the statements that it carries out: `apply` is called with the entry's index once it is durable. */
export type LogMeasurements = (
  kind: number,
  tableId: number,
  payload: Uint8Array,
  done: readonly DoneStatements[],
  apply: (index: number) => void,
) => Promise<void>;

export class MeasurementWriter {
  /** By table: the end of all changes and passes of retention so far. */
  private readonly turns = new Map<number, Promise<unknown>>();
  /** By table: the change that runs. */
  private readonly running = new Map<number, TableChange>();
  /** By table: the insert that was logged last; those before it have been applied when it has. */
  private readonly lastInserts = new Map<number, Promise<void>>();

  constructor(private readonly store: TimeseriesStore, private readonly log: LogMeasurements) {}

  async insert(
    tableId: number,
    documents: readonly RawDocument[],
    ordered: boolean,
    retryable?: RetryableWrite,
    areChecked = true,
  ): Promise<InsertResult> {
    const prepared = this.store.prepareInsert(tableId, documents, ordered, areChecked);
    const { payload, batch, accepted, errors } = prepared;
    const done = retryable === undefined ? [] : doneInserts(retryable, documents.length, ordered, errors);
    if (payload !== undefined) await this.logInsert(tableId, payload, batch, done);
    return { inserted: accepted, errors };
  }

  private async logInsert(
    tableId: number,
    payload: Uint8Array,
    batch: PreparedBatch | undefined,
    done: readonly DoneStatements[],
  ): Promise<void> {
    this.running.get(tableId)?.noteInsert(payload);
    const logged = this.log(
      EntryKind.Measurements,
      tableId,
      payload,
      done,
      (index) => this.store.applyInsert(index, tableId, payload, batch),
    );
    const settled = logged.catch(() => {});
    this.lastInserts.set(tableId, settled);
    try {
      await logged;
    } finally {
      if (this.lastInserts.get(tableId) === settled) this.lastInserts.delete(tableId);
    }
  }

  /**
   * Runs a change; durable when it resolves.
   *
   * @param begin called when its turn has come, and between two entries: waits for room, throws when the table is gone
   */
  change(
    tableId: number,
    request: MeasurementChange,
    begin: () => Promise<void>,
  ): Promise<MeasurementChanges> {
    return this.inTurn(tableId, async () => {
      await begin();
      const change = await this.store.beginChange(tableId);
      this.running.set(tableId, change);
      try {
        // What was logged before the change could be told of it is applied before it looks.
        await this.lastInserts.get(tableId);
        return await this.run(tableId, change, request, begin);
      } finally {
        this.running.delete(tableId);
      }
    });
  }

  /** Takes away what is older than a time in milliseconds since 1970; durable when it resolves. */
  expire(tableId: number, beforeMs: number): Promise<void> {
    return this.inTurn(tableId, () => this.store.expire(tableId, beforeMs));
  }

  private inTurn<T>(tableId: number, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(tableId) ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => {}).then(() => {
      if (this.turns.get(tableId) === ended) this.turns.delete(tableId);
    });
    this.turns.set(tableId, ended);
    return turn;
  }

  private async run(
    tableId: number,
    change: TableChange,
    request: MeasurementChange,
    begin: () => Promise<void>,
  ): Promise<MeasurementChanges> {
    const counts = { matched: 0, removed: 0, replaced: 0, upserted: false };
    const apply = (row: PlacedRow) => {
      const outcome = request.change(row.document);
      counts.matched++;
      if (outcome === "keep") return;
      change.remove(row);
      if (outcome === "remove") counts.removed++;
      else {
        change.add(outcome);
        counts.replaced++;
      }
    };
    if (request.isSingle) {
      const row = await firstMatch(change, request);
      if (row !== undefined) apply(row);
    } else {
      await this.changeAll(change, request, apply, async () => {
        await this.logChange(tableId, change, []);
        await begin();
      });
    }
    if (counts.matched === 0 && request.upsert !== undefined) {
      change.add(request.upsert());
      counts.upserted = true;
    }
    const done = request.done?.(counts);
    await this.logChange(tableId, change, done === undefined ? [] : [done]);
    return counts;
  }

  /** Changes all rows that match; logs what is gathered when it is much, between two times. */
  private async changeAll(
    change: TableChange,
    request: MeasurementChange,
    apply: (row: PlacedRow) => void,
    logGathered: () => Promise<void>,
  ): Promise<void> {
    for await (const batch of change.scan(request.scan)) {
      for (const row of batch) {
        if (row.ordinal === 0 && change.sizeBytes >= this.store.changeEntryBytes) await logGathered();
        if (request.matches(row.document)) apply(row);
        if (takeLongWork()) await request.scan.checkpoint();
      }
    }
  }

  private async logChange(
    tableId: number,
    change: TableChange,
    done: readonly DoneStatements[],
  ): Promise<void> {
    const taken = change.take();
    if (taken === undefined) return;
    const { payload, marked } = taken;
    await this.log(
      EntryKind.Changes,
      tableId,
      payload,
      done,
      (index) => this.store.applyChange(index, tableId, payload, marked),
    );
    // Nobody may be told of a change that cannot be seen yet.
    this.store.settle(tableId);
  }
}

/** Which documents of an insert are done, once it is logged. */
function doneInserts(
  retryable: RetryableWrite,
  count: number,
  ordered: boolean,
  errors: InsertResult["errors"],
): readonly DoneStatements[] {
  const done: DoneStatements[] = [];
  const runs = new DoneInserts(retryable, (statements) => done.push(statements));
  const refused = new Set(errors.map(({ index }) => index));
  const end = ordered && errors.length > 0 ? errors[0]!.index : count;
  for (let place = 0; place < end; place++) if (!refused.has(place)) runs.add(place);
  runs.flush();
  return done;
}

/** The first row that matches, or of all that do the one that comes first by the request's order. */
async function firstMatch(change: TableChange, request: MeasurementChange): Promise<PlacedRow | undefined> {
  let first: PlacedRow | undefined;
  const isBetter = (row: Document) =>
    first === undefined || (request.order !== undefined && request.order(row, first.document) < 0);
  for await (const batch of change.scan(request.scan)) {
    for (const row of batch) {
      const matches = request.matches(row.document);
      if (takeLongWork()) await request.scan.checkpoint();
      if (!matches || !isBetter(row.document)) continue;
      first = row;
      if (request.order === undefined) return first;
    }
  }
  return first;
}

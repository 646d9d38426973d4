/**
 * One update or delete on a time-series collection: any field, one measurement or many, with upsert. (MongoDB has updates of
 * the metaField only.) A statement is atomic as a whole.
 */
import { CommandError } from "../base/mod.ts";
import { type Document, encodeDocument, RawDocument, type Value } from "../bson/mod.ts";
import { type CommandContext, WritePlan } from "../query/mod.ts";
import type { DoneStatements } from "../storage/mod.ts";
import type { TimeseriesOptions } from "./catalog.ts";
import { shownError, specOf, storable } from "./document_statement.ts";
import type { MeasurementChange, MeasurementChanges } from "./measurement_change.ts";
import type { StatementResult, WriteStatement } from "./write_statement.ts";

/** Does a change; durable and seen as a whole when it resolves. */
export type ChangeMeasurements = (request: MeasurementChange) => Promise<MeasurementChanges>;

/**
 * @param doneOf what of a session's write the statement carries out, by its result
 * @throws CommandError OutOfDiskSpace and its like; errors of the statement are in its result
 */
export async function runMeasurementStatement(
  options: TimeseriesOptions,
  statement: WriteStatement,
  context: CommandContext,
  change: ChangeMeasurements,
  doneOf: (result: StatementResult) => DoneStatements | undefined,
): Promise<StatementResult> {
  let plan: WritePlan;
  try {
    plan = new WritePlan(specOf(statement), context);
  } catch (error) {
    return refused(error);
  }
  const run = new MeasurementRun(plan, statement);
  try {
    const changes = await change({
      ...run.request(statement),
      scan: { ...plan.scan(options.timeField, options.metaField), ...scanContext(context) },
      done: (changes) => doneOf(run.result(changes)),
    });
    return run.result(changes);
  } catch (error) {
    return refused(shownError(statement, error));
  }
}

function scanContext(
  { checkpoint, counters }: CommandContext,
): Pick<CommandContext, "checkpoint" | "counters"> {
  return { checkpoint, counters };
}

/** A language error as the statement's result. @throws any other error */
function refused(error: unknown): StatementResult {
  if (error instanceof CommandError && error.codeName !== "OutOfDiskSpace") {
    return { matched: 0, modified: 0, error };
  }
  throw error;
}

class MeasurementRun {
  /** What `returning` asks for. */
  document: Document | undefined;
  upsertedId: Value;

  constructor(private readonly plan: WritePlan, private readonly statement: WriteStatement) {}

  result({ matched, removed, replaced, upserted }: MeasurementChanges): StatementResult {
    const { document, upsertedId } = this;
    return {
      matched,
      modified: removed + replaced,
      ...(upserted ? { upsertedId } : {}),
      ...(document === undefined ? {} : { document }),
    };
  }

  request(statement: WriteStatement): Omit<MeasurementChange, "scan"> {
    const { plan } = this;
    return {
      matches: plan.matches,
      isSingle: statement.multi !== true,
      ...(plan.order === undefined ? {} : { order: plan.order }),
      change: (row) => statement.kind === "delete" ? this.remove(row) : this.update(row),
      ...(statement.kind === "update" && statement.upsert === true ? { upsert: () => this.upsert() } : {}),
    };
  }

  private remove(row: Document): "remove" {
    this.show(row, undefined);
    return "remove";
  }

  private update(row: Document): "keep" | RawDocument {
    const changed = this.plan.updated(row);
    this.show(row, changed);
    return changed === row ? "keep" : storable(changed);
  }

  private upsert(): RawDocument {
    const document = storable(this.plan.inserted(), true);
    this.upsertedId = document.get("_id");
    this.show(undefined, document);
    return document;
  }

  /** A row is a view of columns that change: what is shown of it is copied. */
  private show(before: Document | undefined, after: Document | undefined): void {
    const { returning } = this.statement;
    if (returning === undefined) return;
    const document = returning.which === "before" ? before : after;
    this.document = document && new RawDocument(encodeDocument(this.plan.shown(document)));
  }
}

/** The statements that begin and end a transaction of a store, prepared once: parsing them took as long as running them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export class CommitStatements {
  private readonly beginning: StatementSync;
  private readonly applied: StatementSync;
  private readonly end: StatementSync;

  constructor(writing: DatabaseSync) {
    this.beginning = writing.prepare("BEGIN IMMEDIATE");
    this.applied = writing.prepare("UPDATE applied SET log_index = ?");
    this.end = writing.prepare("COMMIT");
  }

  begin(): void {
    this.beginning.run();
  }

  /** @param appliedIndex the log index of the last entry that is in it; undefined where it is of none */
  commit(appliedIndex?: number): void {
    if (appliedIndex !== undefined) this.applied.run(appliedIndex);
    this.end.run();
  }
}

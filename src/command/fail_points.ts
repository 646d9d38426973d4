/**
 * All fail points, sorted by name. They are there only with `--set-parameter enableTestCommands=1`: whoever may run commands
 * can make the server fail by them.
 */
import { CommandError, type Random } from "../base/mod.ts";
import { FailPoint } from "./fail_point.ts";

export class FailPoints {
  /** Commands fail before they run, or with a write concern's error after: `fail_command.ts`. */
  readonly failCommand: FailPoint;
  /** A getMore fails that has found its cursor; the cursor is closed. */
  readonly failGetMoreAfterCursorCheckout: FailPoint;
  /** Retryable writes fail, or are done and not answered: `fail_retryable_write.ts`. */
  readonly onPrimaryTransactionalWrite: FailPoint;
  private readonly byName: ReadonlyMap<string, FailPoint>;

  constructor(random: Random = Math.random) {
    this.failCommand = new FailPoint(random);
    this.failGetMoreAfterCursorCheckout = new FailPoint(random);
    this.onPrimaryTransactionalWrite = new FailPoint(random);
    this.byName = new Map([
      ["failCommand", this.failCommand],
      ["failGetMoreAfterCursorCheckout", this.failGetMoreAfterCursorCheckout],
      ["onPrimaryTransactionalWrite", this.onPrimaryTransactionalWrite],
    ]);
  }

  /** @throws CommandError FailPointSetFailed when there is none of that name */
  find(name: string): FailPoint {
    const found = this.byName.get(name);
    if (found !== undefined) return found;
    throw new CommandError("FailPointSetFailed", `${name} not found`);
  }
}

/**
 * What a client knows of the documents that it wrote: each has a number, and the versions that it may have. A statement
 * that was acknowledged leaves one version; one whose answer never came leaves two, the old and the new, for all the
 * documents of its atomic unit together. What is then seen in the collection becomes what must be there from then on.
 */
import assert from "node:assert/strict";

/** A document's version; `undefined`: there is none. */
export type Version = number | undefined;

/** A statement: the versions that it gives to documents. */
export type Change = ReadonlyMap<number, Version>;

export class Ledger {
  /** Versions that were acknowledged or seen; documents that are known to be gone stand here as well. */
  private readonly known = new Map<number, Version>();
  /** Statements without an answer. Their documents differ: a writer waits for each answer. */
  private unanswered: Change[] = [];

  /** @param name for messages */
  constructor(readonly name: string) {}

  acknowledge(change: Change): void {
    for (const [number, version] of change) this.known.set(number, version);
  }

  /** The answer never came. */
  leaveOpen(change: Change): void {
    this.unanswered.push(change);
  }

  /** Of a document that was written here, as far as is known. */
  versionOf(number: number): Version {
    return this.known.get(number);
  }

  /**
   * Compares with what is there.
   *
   * @param seen number and version of every document, in any order
   * @param mayExpire whether documents may have gone by themselves
   */
  check(
    seen: readonly (readonly [number: number, version: number])[],
    when: string,
    mayExpire = false,
  ): void {
    const found = new Map<number, number>();
    for (const [number, version] of seen) {
      assert.ok(!found.has(number), `${when}: ${this.name}: document ${number} is there twice`);
      found.set(number, version);
    }
    for (const change of this.unanswered.splice(0)) this.settle(change, found, when, mayExpire);
    for (const [number, version] of this.known) {
      const actual = found.get(number);
      if (actual === version) continue;
      if (mayExpire && actual === undefined) this.known.set(number, undefined);
      else assert.fail(`${when}: ${this.name}: document ${number} has version ${actual}, not ${version}`);
    }
    for (const number of found.keys()) {
      assert.ok(this.known.has(number), `${when}: ${this.name}: nobody wrote document ${number}`);
    }
  }

  /** A statement happened whole or not at all. */
  private settle(change: Change, found: ReadonlyMap<number, number>, when: string, mayExpire: boolean): void {
    const numbers = [...change.keys()];
    const isNew = numbers.some((number) => {
      const actual = found.get(number);
      return actual !== this.known.get(number) && !(mayExpire && actual === undefined);
    });
    for (const [number, version] of change) {
      const expected = isNew ? version : this.known.get(number);
      const actual = found.get(number);
      const fits = actual === expected || (mayExpire && actual === undefined);
      assert.ok(
        fits,
        `${when}: ${this.name}: a statement of ${numbers.length} documents is half there: ${number}`,
      );
      this.known.set(number, actual);
    }
  }
}

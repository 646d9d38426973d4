/**
 * The tests that are known to fail, each with the reason. One that passes again makes the run fail, so that the list holds
 * only what is so.
 */
import type { Identity } from "./options.ts";

export interface KnownFailure {
  readonly suite: string;
  readonly file: string;
  /** The description, or what all of them have in common; all tests of the file when absent. */
  readonly test?: string | RegExp;
  /** Where it fails with one of the identities only. */
  readonly identity?: Identity;
  /** Whose it is: the driver's and the specification's, which differ from each other, or ChronoGo's. */
  readonly owner: "driver" | "ChronoGo";
  readonly reason: string;
}

export const KNOWN_FAILURES: readonly KnownFailure[] = [];

/** The entry that a test falls under, if there is one. */
export function knownFailure(
  { suite, file, test }: { readonly suite: string; readonly file: string; readonly test: string },
  identity: Identity,
): KnownFailure | undefined {
  return KNOWN_FAILURES.find((known) =>
    known.suite === suite && known.file === file && (known.identity ?? identity) === identity &&
    (known.test === undefined ||
      (typeof known.test === "string" ? known.test === test : known.test.test(test)))
  );
}

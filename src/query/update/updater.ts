/** What an update becomes when it is compiled: a function from document to document. */
import type { Document } from "../../bson/mod.ts";
import type { DeltaBuilder } from "./delta.ts";

/** What is known of the document that an update is applied to. */
export interface Target {
  /** Whether it is about to be inserted by an upsert. */
  readonly inserting: boolean;
  /** The place in the array that the filter met, for `$`; undefined where it met none. */
  readonly position: () => number | undefined;
  /** Gets which fields modifiers change. */
  readonly delta?: DeltaBuilder;
}

/** @throws CommandError of what the update makes of the document, which is as it was */
export type Updater = (document: Document, target: Target) => Document;

/**
 * What one modifier does to one field: `$inc: {a: 1}` is an operation at the path `a`. Operations are pure: they give a
 * new value and leave the old one as it is.
 */
import type { Collation, Document, Value } from "../../bson/mod.ts";

/** The field that an operation is applied to, for what it computes and for the words of its errors. */
export interface Place {
  /** The field's own name: the last part of its path. */
  readonly name: string;
  /** Its whole path, with the places in arrays that `$` and `$[]` stood for. */
  readonly path: readonly string[];
  /** The document before the update. */
  readonly root: Document;
  /** What the update has made of the document so far. */
  readonly madeSoFar: () => Document;
  /** Whether the document is about to be inserted by an upsert. */
  readonly inserting: boolean;
  /** One instant for the whole statement, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Counts the operation as a change, although it gives the very same value. */
  readonly touch: () => void;
  /** Tells that the new array is the old one with more elements behind it. */
  readonly appended: () => void;
}

/**
 * Gives the new value of a field; the very same value where nothing changes, `undefined` where the field goes or stays away.
 *
 * @param old `undefined` when there is no such field; what comes then is made, with all of its path
 * @throws CommandError when the old value is of a type that the operator cannot work with
 */
export type Operation = (old: Value, place: Place) => Value;

/** Makes an operation of what stands behind a path. @throws CommandError with MongoDB's code and wording */
export type ParseOperation = (path: string, value: Value, context: OperationContext) => Operation;

/** What parsing an operation needs from outside. */
export interface OperationContext {
  /** Compiles a filter, for `$pull`. */
  readonly compileFilter: (filter: Document) => (document: Document) => boolean;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
}

/** The indexes that a source has, and how a scan reads one. */
import type { Document } from "../bson/mod.ts";
import type { KeyRange } from "./index_bounds.ts";

export interface SourceIndexField {
  readonly path: readonly string[];
  readonly descending: boolean;
  /** Its keys are hashes of values. */
  readonly hashed?: true;
  /** The one value that is asked for: the path of a wildcard index's keys. */
  readonly only?: string;
}

/** An index that a source has. */
export interface SourceIndex {
  readonly name: string;
  readonly keyPattern: Document;
  readonly fields: readonly SourceIndexField[];
  /** Of each field, the paths at which a document may have an array. */
  readonly arrays: readonly (readonly string[])[];
  readonly isUnique: boolean;
  readonly isSparse: boolean;
  /** The planner must be told to use it. */
  readonly isHidden: boolean;
  /** Which documents it has; undefined for all. */
  readonly partialFilter: Document | undefined;
  /** Set for a wildcard index: whether it goes over a path. */
  readonly covers?: ((path: readonly string[]) => boolean) | undefined;
  /** The collection is clustered by it: its keys are those of the documents. */
  readonly isClustered?: true;
  /** Its keys leave open what some values are, and nothing beside them says it. */
  readonly keysAreOpen?: boolean;
}

/** An index of places. It has no keys: all documents are looked at, and it says only that distances may be asked for. */
export interface PlaceIndex {
  /** `isPlace`: the field holds places. */
  readonly fields: readonly { readonly path: string; readonly isPlace: boolean }[];
  /** The planner must be told to use it. */
  readonly isHidden: boolean;
  /** Which documents it has; undefined for all. */
  readonly partialFilter: Document | undefined;
}

/** How a scan reads an index. */
export interface IndexScan {
  readonly name: string;
  /** In the index's order; backward, the last is read first. */
  readonly ranges: readonly KeyRange[];
  readonly backward: boolean;
  /** Whether a document may be met more than once: it is given once. */
  readonly repeats: boolean;
  /** Which index it is. */
  readonly index: SourceIndex;
  /** Set where rows are made of keys, and no document is read: the index's fields. */
  readonly covered?: readonly SourceIndexField[];
  /** The index's first fields, where of rows that are equal there one is enough: the first. */
  readonly distinct?: readonly SourceIndexField[];
}

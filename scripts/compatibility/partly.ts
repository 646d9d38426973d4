/**
 * What is there only in part: for each command, stage or operator what it lacks, and commands that show so. A test asks a
 * server: each must be answered with NotImplemented (238), so a lack that is gone cannot stay on the page.
 */
import type { Document } from "bson";

export interface Lack {
  readonly what: string;
  /** Commands that are refused because of it; the collection `c` is there and plain. */
  readonly refused: readonly Document[];
}

const pipelines = (...stages: Document[]): Document[] =>
  stages.map((stage) => ({ aggregate: "c", pipeline: [stage], cursor: {} }));
const creating = (options: Document): Document => ({ create: "new", ...options });
const finding = (options: Document): Document => ({ find: "c", ...options });
const indexing = (key: Document, options: Document = {}): Document => ({
  createIndexes: "c",
  indexes: [{ key, name: "new", ...options }],
});

export const COMMANDS_PARTLY: Readonly<Record<string, readonly Lack[]>> = {
  create: [{
    what: "`encryptedFields`",
    refused: [
      creating({ encryptedFields: { fields: [] } }),
    ],
  }],
  createIndexes: [{
    what:
      "text, 2d and unique 2dsphere indexes (a 2dsphere index checks places, and lets queries look at all documents), a `collation` other than `simple`",
    refused: [
      indexing({ a: "text" }),
      indexing({ a: "2d" }),
      indexing({ a: "2dsphere" }, { unique: true }),
      indexing({ a: 1 }, { collation: { locale: "de" } }),
    ],
  }],
  find: [
    {
      what: "some `collation`s, as in all commands (see Collation)",
      refused: [
        finding({ collation: { locale: "hy" } }),
        finding({ collation: { locale: "sv@collation=standard" } }),
        finding({ collation: { locale: "en", backwards: true } }),
        finding({ collation: { locale: "en", strength: 4, alternate: "shifted" } }),
        finding({ collation: { locale: "en", alternate: "shifted", maxVariable: "space" } }),
      ],
    },
  ],
  fsync: [{ what: "`lock`", refused: [{ fsync: 1, lock: true, $db: "admin" }] }],
  rolesInfo: [{ what: "`showPrivileges`", refused: [{ rolesInfo: "read", showPrivileges: true }] }],
};

export const STAGES_PARTLY: Readonly<Record<string, readonly Lack[]>> = {
  $changeStream: [{
    what: "`showSystemEvents`",
    refused: pipelines(
      { $changeStream: { showSystemEvents: true } },
    ),
  }],
  $collStats: [{ what: "`queryExecStats`", refused: pipelines({ $collStats: { queryExecStats: {} } }) }],
};

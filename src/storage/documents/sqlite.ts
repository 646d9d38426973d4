/**
 * Connections to one SQLite file. WAL mode with synchronous=NORMAL: a commit is not synced (the log is the journal), a
 * checkpoint syncs first the WAL and then the file. Checkpoints happen only when asked for, so that it is known which
 * entries they made durable.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { CommandError, CorruptionError } from "../../base/mod.ts";

/** A store that lives in memory and ends with its connection. */
export const IN_MEMORY = ":memory:";

/** "CHRN": tells `file` and other programs whose it is. */
const APPLICATION_ID = 0x4348524e;
/** Where SQLite keeps it in its header. */
const APPLICATION_ID_OFFSET = 68;
/** 2: with indexes. 3: with the statements that sessions have done. 4: with the types beside the keys of indexes. */
const FORMAT_VERSION = 4;
const FORMAT_WITHOUT_TYPES = 3;
const FORMAT_WITHOUT_STATEMENTS = 2;
const FORMAT_WITHOUT_INDEXES = 1;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/**
 * The indexes of all collections; see index_tables.ts. `arrays`: for each field the paths at which there are arrays, as JSON.
 */
const INDEXES_TABLE = "CREATE TABLE indexes (collection INTEGER NOT NULL, name TEXT NOT NULL, " +
  "number INTEGER NOT NULL, spec BLOB NOT NULL, arrays TEXT NOT NULL, PRIMARY KEY (collection, name)) WITHOUT ROWID";

/** The statements that sessions have done; see statement_table.ts. */
const STATEMENTS_TABLE = "CREATE TABLE statements (lsid BLOB NOT NULL, first INTEGER NOT NULL, " +
  "txn INTEGER NOT NULL, count INTEGER NOT NULL, seconds INTEGER NOT NULL, result BLOB, " +
  "PRIMARY KEY (lsid, first)) WITHOUT ROWID";

const SETTINGS = [
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = NORMAL",
  "PRAGMA wal_autocheckpoint = 0",
  // The process may write nowhere but in its data folder.
  "PRAGMA temp_store = MEMORY",
];

/** `plain_ids`: whether the keys of all _ids that there are, or were, say all of them; see totals.ts. */
const TABLES = [
  "CREATE TABLE applied (one INTEGER PRIMARY KEY CHECK (one = 1), log_index INTEGER NOT NULL)",
  "INSERT INTO applied VALUES (1, 0)",
  "CREATE TABLE collections (id INTEGER PRIMARY KEY, documents INTEGER NOT NULL, bytes INTEGER NOT NULL, " +
  "plain_ids INTEGER NOT NULL)",
  INDEXES_TABLE,
  STATEMENTS_TABLE,
  `PRAGMA application_id = ${APPLICATION_ID}`,
  `PRAGMA user_version = ${FORMAT_VERSION}`,
];

/** Runs statements in turn; unlike `DatabaseSync.exec`, its errors carry SQLite's code. */
export function execute(database: DatabaseSync, ...statements: readonly string[]): void {
  for (const statement of statements) database.prepare(statement).all();
}

/** A statement whose rows come as arrays of their columns: objects with names take twice the time to make. */
export function prepareTuples(database: DatabaseSync, statement: string): StatementSync {
  // Deno has the method, its types do not name it yet.
  const prepared = database.prepare(statement) as StatementSync & { setReturnArrays(enabled: boolean): void };
  prepared.setReturnArrays(true);
  return prepared;
}

/** Runs statements that count together or not at all, inside a transaction or as one. */
export function executeTogether(database: DatabaseSync, ...statements: readonly string[]): void {
  together(database, () => execute(database, ...statements));
}

/** Does changes that count together or not at all, inside a transaction or as one. */
export function together(database: DatabaseSync, work: () => void): void {
  execute(database, "SAVEPOINT together");
  try {
    work();
    execute(database, "RELEASE together");
  } catch (error) {
    // When the device is full, SQLite may have rolled back by itself.
    if (database.isTransaction) execute(database, "ROLLBACK TO together", "RELEASE together");
    throw error;
  }
}

/** @throws CorruptionError when the file is none of ours, CommandError UnsupportedFormat when it is of another version */
export function openForWriting(path: string): DatabaseSync {
  return guarded(path, () => {
    const database = new DatabaseSync(path);
    try {
      // Looked at before it is touched: setting the mode already writes to the file.
      const version = checkFormat(path, database);
      execute(database, ...SETTINGS);
      if (version === undefined) execute(database, "BEGIN", ...TABLES, "COMMIT");
      else if (version !== FORMAT_VERSION) upgrade(database, version);
      checkWritable(database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** SQLite opens a file that it may only read as well, and fails at the first write. */
function checkWritable(database: DatabaseSync): void {
  execute(database, "BEGIN IMMEDIATE", `PRAGMA user_version = ${FORMAT_VERSION}`, "ROLLBACK");
}

/** Gives a file of an earlier version what it lacks. Indexes without types go: the catalog has them made anew. */
function upgrade(database: DatabaseSync, version: number): void {
  execute(database, "BEGIN");
  if (version === FORMAT_WITHOUT_INDEXES) execute(database, INDEXES_TABLE);
  if (version !== FORMAT_WITHOUT_TYPES) execute(database, STATEMENTS_TABLE);
  for (const row of database.prepare("SELECT collection, number FROM indexes").all()) {
    execute(database, `DROP TABLE i${row["collection"]}_${row["number"]}`);
  }
  execute(
    database,
    "DELETE FROM indexes",
    "ALTER TABLE collections ADD COLUMN plain_ids INTEGER NOT NULL DEFAULT 0",
    `PRAGMA user_version = ${FORMAT_VERSION}`,
    "COMMIT",
  );
}

/** Makes the file itself hold, for good, all that was committed. */
export function emptyWal(path: string, database: DatabaseSync): void {
  if (path === IN_MEMORY || database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0) return;
  throw new CommandError("InternalError", `cannot checkpoint "${path}": another process reads it`);
}

/** A connection that sees what is committed and nothing else. */
export function openForReading(path: string): DatabaseSync {
  return guarded(path, () => {
    const database = new DatabaseSync(path, { readOnly: true });
    execute(database, "PRAGMA temp_store = MEMORY");
    return database;
  });
}

/** @returns the format's version; undefined when the file is empty, and so to be made ours */
function checkFormat(path: string, database: DatabaseSync): number | undefined {
  const version = pragma(database, "user_version");
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
    if (!isEmpty) throw new CorruptionError(path, APPLICATION_ID_OFFSET, "a SQLite file of another program");
    return undefined;
  }
  const known = [FORMAT_VERSION, FORMAT_WITHOUT_TYPES, FORMAT_WITHOUT_STATEMENTS, FORMAT_WITHOUT_INDEXES];
  if (!known.includes(version)) {
    const text = `"${path}" has documents format ${version}; this program knows ${FORMAT_VERSION}`;
    throw new CommandError("UnsupportedFormat", text);
  }
  return version;
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Runs what may fail on SQLite's side, and gives its failure a name of ours. */
export function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw translated(path, error);
  }
}

function translated(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  // The low byte is the primary code, the rest tells its kinds apart.
  switch (error.errcode & 0xff) {
    case SQLITE_FULL:
      return new CommandError(
        "OutOfDiskSpace",
        `cannot write "${path}", the device is full: ${error.message}`,
      );
    case SQLITE_READONLY:
      return new CommandError(
        "InternalError",
        `cannot write "${path}", its rights or those of its folder forbid it: ${error.message}`,
      );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new CorruptionError(path, 0, error.message);
    default:
      return new CommandError("InternalError", `cannot use "${path}": ${error.message}`);
  }
}

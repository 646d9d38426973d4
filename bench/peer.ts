/**
 * A peer is a database that the bench runs the workload on: ChronoGo itself and those it is measured against. Each runs
 * as a process of its own, started for the run and removed after it. What a peer cannot do it leaves undefined, and the
 * table shows a dash.
 */
import type { Query } from "./query.ts";
import type { Scenario, Workload } from "./scenario.ts";

/** A database that can be started. */
export interface Peer {
  /** As the table names it. */
  readonly name: string;
  /** @throws PeerMissing when its program is not there and cannot be had, or it does not know the workload */
  start(scenario: Scenario): Promise<Instance>;
}

/** A database that runs, empty at first. */
export interface Instance extends AsyncDisposable {
  /** Processor seconds that its process has used so far. */
  cpuSeconds(): number;
  /** Inserts rows of the workload in batches, one after another. `progress` gets the rows so far. */
  load(workload: Workload, rows: LoadSize, progress: (rows: number) => void): Promise<void>;
  /** Bytes on disk of what was loaded, all of it written out; undefined where all is in memory. */
  diskBytes(): Promise<DiskBytes | undefined>;
  /** Whether it can answer a query; all of them when absent. */
  canRun?(query: Query): boolean;
  /** Asks for nothing: what an answer costs before there is anything in it. Absent where there is no server. */
  ping?(): Promise<void>;
  /** Runs a query to its last row and looks at nothing: what is timed should be the server. */
  runQuery(query: Query): Promise<void>;
  /** Runs a query and gives its answer, in a form that can be compared between peers. */
  answer(query: Query): Promise<Answer>;
  /** Lets go of all that it holds of its rows in memory, and goes on. Absent where it cannot. */
  emptyCaches?(): Promise<void>;
  /** Stops and starts its server. Absent where its rows would be gone. */
  restart?(): Promise<void>;
  /** Inserts single rows, durable, over some connections at once; the time of each in milliseconds. */
  insertSingly?(workload: Workload, load: SingleInserts): Promise<Float64Array>;
}

export interface LoadSize {
  readonly rowCount: number;
  readonly batchRows: number;
}

export interface SingleInserts {
  readonly rowCount: number;
  readonly connections: number;
}

export interface DiskBytes {
  /** The data, with its indexes. */
  readonly data: number;
  /** The part of it that are ids of rows: 0 where rows have none, undefined where it cannot be told apart. */
  readonly ids: number | undefined;
  /** The log beside it, of which a peer keeps more or less. */
  readonly log: number;
}

/** What a query found. */
export interface Answer {
  readonly rowCount: number;
  /** The same for the same answer: its numbers summed, rounded to what all peers' arithmetic agrees on. */
  readonly checksum: number;
}

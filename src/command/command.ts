/** What a command is: a name, some facts for `listCommands`, and a function that appends the fields of its answer. */
import type { BsonWriter, RawDocument } from "../bson/mod.ts";
import type { Transaction } from "../cluster/mod.ts";
import type { Arguments } from "./arguments.ts";
import type { Client } from "./client.ts";
import type { GenericArguments } from "./generic.ts";
import type { Operation } from "./operation.ts";
import type { ReadConcern } from "./read_concern.ts";
import type { Session } from "./sessions.ts";
import type { ServerState } from "./state.ts";

/** Documents that stand beside the body, under the name of the field that they are. */
export interface DocumentSequence {
  readonly name: string;
  readonly documents: readonly RawDocument[];
  /** Where not, only their lengths were checked, and they are too short to be nested too deep. */
  readonly areChecked: boolean;
}

/** A request to run, as it came off the wire. */
export interface CommandInput {
  /** Set for commands that name their database outside the body. */
  readonly db: string | undefined;
  readonly body: RawDocument;
  readonly sequences: readonly DocumentSequence[];
  readonly exhaustAllowed: boolean;
  readonly protocol: "msg" | "query";
}

/** One running command. */
export interface CommandCall {
  /** The command's name as the client spelled it: the name of the body's first field. */
  readonly name: string;
  readonly db: string;
  readonly args: Arguments;
  readonly sequences: readonly DocumentSequence[];
  readonly generic: GenericArguments;
  readonly exhaustAllowed: boolean;
  readonly client: Client;
  readonly session: Session | undefined;
  /** The transaction that it runs in. */
  readonly transaction: Transaction | undefined;
  /** The cluster time of the snapshot that it reads, outside of a transaction. */
  readonly atClusterTime: bigint | undefined;
  readonly operation: Operation;
  readonly state: ServerState;
}

/** What remains after an answer. */
export interface Outcome {
  /** Set when the server shall run this body next, without being asked: an exhaust hello. */
  readonly next?: RawDocument;
  /** Set when the connection has to close, and nothing is answered: a fail point. */
  readonly closes?: true;
}

export interface Command {
  /** As `listCommands` has it. */
  readonly name: string;
  /** Other spellings. */
  readonly aliases?: readonly string[];
  /** One line for `listCommands`. */
  readonly help: string;
  /** Runs against the admin database only. */
  readonly adminOnly?: boolean;
  /** Belongs to MongoDB's Stable API, version 1. */
  readonly stableApi?: boolean;
  /** Is in the Stable API, but shall not be used any more. */
  readonly deprecated?: boolean;
  /** May have documents beside its body. */
  readonly takesSequences?: boolean;
  /** May be sent with a writeConcern. */
  readonly takesWriteConcern?: boolean;
  /** May have a transaction number of its own: its statements are done once, however often they are sent. */
  readonly retryable?: boolean;
  /** The levels of readConcern that it may be sent with beside `local`. */
  readonly readConcerns?: readonly ReadConcern["level"][];
  /** Is there only where the server was started with `enableTestCommands`. */
  readonly testOnly?: boolean;
  /** May be run by a client that is not trusted. */
  readonly open?: boolean;
  /** What `opLatencies` counts it as; `command` when not given. */
  readonly kind?: "read" | "write";
  /**
   * Does the work and appends the answer's fields, without `ok`.
   *
   * @throws CommandError, which becomes the answer instead
   */
  readonly run: (call: CommandCall, reply: BsonWriter) => Outcome | void | Promise<Outcome | void>;
}

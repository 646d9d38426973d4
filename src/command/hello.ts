/**
 * `hello`, and `isMaster` of old: what the server is and can do. A ChronoGo node answers as a router (`isdbgrid`), with
 * `--replica-set` as the primary of a set of one.
 *
 * A driver that hands back the topology version it knows is answered when that changes or after maxAwaitTimeMS; with
 * the exhaust flag it is then answered again and again without asking.
 */
import {
  CommandError,
  MAX_DOCUMENT_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_WRITE_BATCH,
  SESSION_TIMEOUT_MINUTES,
} from "../base/mod.ts";
import {
  type BsonWriter,
  DocumentBuilder,
  encodeDocument,
  Int32,
  isArray,
  ObjectId,
  RawDocument,
  UtcDate,
} from "../bson/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall, Outcome } from "./command.ts";
import { helloFields } from "./replica_set.ts";
import { MAX_WIRE_VERSION, MIN_WIRE_VERSION } from "./version.ts";

const FIELDS: FieldTable = {
  helloOk: "flag",
  topologyVersion: "object",
  maxAwaitTimeMS: "number",
  client: "any",
  compression: "any",
};
const TOPOLOGY_FIELDS: FieldTable = { processId: "any", counter: "long!" };
/** What the server can undo; the wire room does it. */
const COMPRESSORS: readonly string[] = ["zstd", "zlib"];

export const hello: Command = {
  name: "hello",
  help: "status information for clients negotiating a connection with this server",
  stableApi: true,
  open: true,
  run: (call, reply) => runHello(call, reply, "isWritablePrimary"),
};

export const isMaster: Command = {
  name: "isMaster",
  aliases: ["ismaster"],
  help: "the older name of hello",
  open: true,
  run: (call, reply) => runHello(call, reply, "ismaster"),
};

async function runHello(
  call: CommandCall,
  reply: BsonWriter,
  writableField: string,
): Promise<Outcome | void> {
  const { args, client } = call;
  checkFields(args, "hello", FIELDS, () => true);
  greet(call);
  const awaited = parseAwait(args);
  if (call.exhaustAllowed && awaited === undefined) {
    throw new CommandError(51756, "An isMaster or hello request with exhaust must specify 'maxAwaitTimeMS'");
  }
  if (awaited !== undefined) await waitForChange(call, awaited);
  if (args.flag("helloOk")) reply.value("helloOk", true);
  writeIdentity(call, reply, writableField);
  reply.value("maxBsonObjectSize", Int32.of(MAX_DOCUMENT_BYTES));
  reply.value("maxMessageSizeBytes", Int32.of(MAX_MESSAGE_BYTES));
  reply.value("maxWriteBatchSize", Int32.of(MAX_WRITE_BATCH));
  reply.value("localTime", new UtcDate(call.state.services.clock.nowMs()));
  reply.value("logicalSessionTimeoutMinutes", Int32.of(SESSION_TIMEOUT_MINUTES));
  reply.value("connectionId", Int32.of(client.id));
  reply.value("maxWireVersion", Int32.of(MAX_WIRE_VERSION));
  reply.value("minWireVersion", Int32.of(MIN_WIRE_VERSION));
  if (call.state.services.replicaSet !== undefined) reply.value("readOnly", false);
  const compression = sharedCompressors(args);
  if (compression.length > 0) reply.value("compression", compression);
  return call.exhaustAllowed ? { next: nextRequest(call) } : undefined;
}

/** A router, or the primary of a replica set. */
function writeIdentity({ state }: CommandCall, reply: BsonWriter, writableField: string): void {
  const { replicaSet } = state.services;
  const fields = replicaSet === undefined
    ? { [writableField]: true, msg: "isdbgrid" }
    : helloFields(replicaSet, state.services, writableField);
  for (const [name, value] of Object.entries(fields)) reply.value(name, value);
  reply.value("topologyVersion", state.topology.version);
}

/** The first hello of a connection says who the client is. */
function greet(call: CommandCall): void {
  const { args, client } = call;
  const metadata = args.get("client");
  if (metadata !== undefined) {
    if (client.greeted) {
      throw new CommandError(
        "ClientMetadataCannotBeMutated",
        "The client metadata document may only be sent in the first hello",
      );
    }
    if (!(metadata instanceof RawDocument)) {
      throw new CommandError("TypeMismatch", "The client metadata document must be a document");
    }
    client.metadata = new RawDocument(metadata.slice().slice());
  }
  client.greeted = true;
}

interface Awaited {
  readonly processId: ObjectId;
  readonly counter: bigint;
  readonly maxAwaitMs: number;
}

function parseAwait(args: Arguments): Awaited | undefined {
  const version = args.get("topologyVersion");
  const maxAwaitMs = args.integerFrom("maxAwaitTimeMS", 0);
  if (version === undefined && maxAwaitMs === undefined) return undefined;
  if (version === undefined) {
    throw new CommandError(31368, "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'");
  }
  if (maxAwaitMs === undefined) {
    throw new CommandError(31368, "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'");
  }
  const fields = new Arguments(version as RawDocument);
  checkFields(fields, "hello.topologyVersion", TOPOLOGY_FIELDS);
  const processId = fields.get("processId");
  const counter = fields.get("counter");
  if (!(processId instanceof ObjectId) || typeof counter !== "bigint") {
    throw new CommandError("BadValue", "topologyVersion must hold an ObjectId processId and a long counter");
  }
  return { processId, counter, maxAwaitMs };
}

async function waitForChange(call: CommandCall, awaited: Awaited): Promise<void> {
  const { topology } = call.state;
  if (!topology.isCurrent(awaited.processId, awaited.counter)) return;
  await topology.waitForChange(call.operation, awaited.maxAwaitMs);
}

function sharedCompressors(args: Arguments): readonly string[] {
  const wanted = args.get("compression");
  if (!isArray(wanted)) return [];
  return wanted.filter((name): name is string => typeof name === "string" && COMPRESSORS.includes(name));
}

/** The same request again, knowing what it was just told. */
function nextRequest(call: CommandCall): RawDocument {
  const builder = DocumentBuilder.from(call.args.body)
    .set("client", undefined)
    .set("topologyVersion", call.state.topology.version);
  return new RawDocument(encodeDocument(builder.build()));
}

/** Arguments that any command may have: session, time limit, concerns, API version and what drivers and routers add. */
import { CommandError } from "../base/mod.ts";
import {
  aliasOfType,
  Binary,
  BsonType,
  Document,
  elementType,
  isNumber,
  RawDocument,
  readInt32,
} from "../bson/mod.ts";
import { Arguments, checkFields, type FieldTable, missingField, numberOf } from "./arguments.ts";
import { parseReadConcern, type ReadConcern } from "./read_concern.ts";
import { sessionIdText, uuidText } from "./sessions.ts";
import { unmetConcern } from "./write_concern.ts";

export interface GenericArguments {
  /** The session's uuid as text. */
  readonly sessionId: string | undefined;
  readonly txnNumber: bigint | undefined;
  /** Whether it is a statement, or the end, of a transaction: the one of `txnNumber`. */
  readonly inTransaction: boolean;
  /** Whether it is the first one. */
  readonly startsTransaction: boolean;
  readonly readConcern: ReadConcern;
  /** What its write concern asks for and one node cannot give. */
  readonly unmetConcern: Document | undefined;
  /** Milliseconds; 0 for no limit. */
  readonly maxTimeMs: number;
  readonly apiStrict: boolean;
  readonly apiDeprecationErrors: boolean;
}

const NAMES: ReadonlySet<string> = new Set([
  "$db",
  "lsid",
  "txnNumber",
  "autocommit",
  "startTransaction",
  "coordinator",
  "stmtId",
  "stmtIds",
  "maxTimeMS",
  "maxTimeMSOpOnly",
  "comment",
  "readConcern",
  "writeConcern",
  "apiVersion",
  "apiStrict",
  "apiDeprecationErrors",
  "$readPreference",
  "$clusterTime",
  "$configTime",
  "$topologyTime",
  "$configServerState",
  "$queryOptions",
  "$audit",
  "$client",
  "$replData",
  "$oplogQueryData",
  "allowImplicitCollectionCreation",
  "mayBypassWriteBlocking",
  "expectPrefix",
  "serialization_context",
  "help",
]);

/** Whether a field may stand in every command. */
export function isGenericArgument(name: string): boolean {
  return NAMES.has(name);
}

/** @throws CommandError when one of them is bad */
export function parseGenericArguments(args: Arguments): GenericArguments {
  const sessionId = parseSessionId(args);
  const txnNumber = parseTransactionNumber(args, sessionId);
  checkApiVersion(args);
  checkReadPreference(args);
  return {
    sessionId,
    txnNumber,
    inTransaction: args.has("autocommit"),
    startsTransaction: args.has("startTransaction"),
    readConcern: parseReadConcern(args),
    unmetConcern: parseWriteConcern(args),
    maxTimeMs: parseMaxTime(args),
    apiStrict: args.get("apiStrict") === true,
    apiDeprecationErrors: args.get("apiDeprecationErrors") === true,
  };
}

const SESSION_FIELDS: FieldTable = { id: "binData!", uid: "binData", txnNumber: "long", txnUUID: "binData" };

function parseSessionId(args: Arguments): string | undefined {
  const lsid = args.get("lsid");
  if (lsid === undefined) return undefined;
  if (lsid instanceof RawDocument && isOnlyId(lsid)) return uuidText(lsid.bytes, lsid.end - 1 - UUID_BYTES);
  checkFields(new Arguments(typedDocument(args, "lsid")), "OperationSessionInfo.lsid", SESSION_FIELDS);
  const id = lsid instanceof Document ? lsid.get("id") : undefined;
  if (!(id instanceof Binary)) throw missingField("OperationSessionInfo.lsid.id");
  return sessionIdText(id);
}

const UUID_BYTES = 16;
/** Of `{id: UUID}`: length, header, length of the UUID, subtype, UUID, end. */
const ONLY_ID_BYTES = 4 + 4 + 4 + 1 + UUID_BYTES + 1;

/** Whether it is `{id: UUID}`, as most clients name their sessions. */
function isOnlyId(lsid: RawDocument): boolean {
  const { bytes, start, sizeBytes, end } = lsid;
  if (sizeBytes !== ONLY_ID_BYTES || lsid.find("id") !== start + 4) return false;
  return elementType(bytes, start + 4) === BsonType.Binary &&
    bytes[end - 2 - UUID_BYTES] === Binary.SUBTYPE_UUID && readInt32(bytes, start + 8) === UUID_BYTES;
}

function typedDocument(args: Arguments, name: string): RawDocument {
  const value = args.get(name);
  if (value instanceof RawDocument) return value;
  throw wrongType(`OperationSessionInfo.${name}`, args.type(name), "object");
}

function parseTransactionNumber(args: Arguments, sessionId: string | undefined): bigint | undefined {
  const number = args.get("txnNumber");
  checkTransactionFields(args, number !== undefined);
  if (number === undefined) return undefined;
  if (typeof number !== "bigint") {
    throw wrongType("OperationSessionInfo.txnNumber", args.type("txnNumber"), "long");
  }
  if (number < 0n) throw new CommandError("InvalidOptions", "Transaction number cannot be negative");
  if (sessionId === undefined) {
    throw new CommandError("InvalidOptions", "Transaction number requires a session ID to also be specified");
  }
  return number;
}

const TRANSACTION_FLAGS = ["startTransaction", "autocommit"];

function checkTransactionFields(args: Arguments, hasNumber: boolean): void {
  for (const name of TRANSACTION_FLAGS) {
    if (args.has(name) && args.type(name) !== BsonType.Boolean) {
      throw wrongType(`OperationSessionInfo.${name}`, args.type(name), "bool");
    }
  }
  const autocommit = args.get("autocommit");
  if (autocommit === true) {
    throw new CommandError("InvalidOptions", "Specifying autocommit=true is not allowed.");
  }
  if (args.has("startTransaction") && autocommit === undefined) {
    const text = "'startTransaction' field requires 'autocommit' field to also be specified";
    throw new CommandError("InvalidOptions", text);
  }
  if (autocommit !== undefined && !hasNumber) {
    const text = "'autocommit' field requires a transaction number to also be specified";
    throw new CommandError("InvalidOptions", text);
  }
  if (args.get("startTransaction") === false) {
    throw new CommandError("InvalidOptions", "Specifying startTransaction=false is not allowed.");
  }
}

function checkApiVersion(args: Arguments): void {
  const version = args.get("apiVersion");
  if (version === undefined) {
    if (args.has("apiStrict") || args.has("apiDeprecationErrors")) {
      throw new CommandError(
        4886600,
        "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion",
      );
    }
    return;
  }
  if (typeof version !== "string") {
    throw wrongType("APIParametersFromClient.apiVersion", args.type("apiVersion"), "string");
  }
  if (version === "2") throw new CommandError("APIVersionError", "Cannot accept API version 2");
  if (version !== "1") throw new CommandError("APIVersionError", 'API version must be "1"');
  for (const name of ["apiStrict", "apiDeprecationErrors"]) {
    if (args.has(name) && args.type(name) !== BsonType.Boolean) {
      throw wrongType(`APIParametersFromClient.${name}`, args.type(name), "bool");
    }
  }
}

const READ_MODES: ReadonlySet<string> = new Set([
  "primary",
  "primaryPreferred",
  "secondary",
  "secondaryPreferred",
  "nearest",
]);

function checkReadPreference(args: Arguments): void {
  const preference = args.get("$readPreference");
  if (preference === undefined) return;
  if (!(preference instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `$readPreference has incorrect type: expected object but got ${
        aliasOfType(args.type("$readPreference"))
      }`,
    );
  }
  const mode = preference.get("mode");
  if (typeof mode === "string" && !READ_MODES.has(mode)) {
    throw new CommandError(
      "BadValue",
      `Could not parse $readPreference mode '${mode}'. Only the modes 'primary', 'primaryPreferred', 'secondary', ` +
        `'secondaryPreferred', and 'nearest' are supported. :: caused by :: Enumeration value '${mode}' for field ` +
        "'mode' is not a valid value.",
    );
  }
}

function parseWriteConcern(args: Arguments): Document | undefined {
  const write = args.get("writeConcern");
  if (write === undefined) return undefined;
  if (!(write instanceof RawDocument)) {
    throw new CommandError(
      "TypeMismatch",
      `"writeConcern" had the wrong type. Expected object, found ${aliasOfType(args.type("writeConcern"))}`,
    );
  }
  return unmetConcern(write);
}

const MAX_INT32 = 2 ** 31 - 1;

function parseMaxTime(args: Arguments): number {
  const value = args.get("maxTimeMS");
  if (value === undefined) return 0;
  if (!isNumber(value)) throw new CommandError("BadValue", "maxTimeMS must be a number");
  const milliseconds = numberOf(value);
  if (!Number.isInteger(milliseconds)) throw new CommandError("BadValue", "maxTimeMS has non-integral value");
  if (milliseconds < 0 || milliseconds > MAX_INT32) {
    throw new CommandError("BadValue", `${milliseconds} value for maxTimeMS is out of range`);
  }
  return milliseconds;
}

function wrongType(path: string, type: BsonType, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `BSON field '${path}' is the wrong type '${aliasOfType(type)}', expected type '${expected}'`,
  );
}

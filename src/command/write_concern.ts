/**
 * `writeConcern`: how many nodes are to have a write before it is answered. One node is all there is, and a write is on
 * its disk before its answer (but for `--durability interval`): what asks for no more is granted. Where more is asked for,
 * the write is done, and its answer says that the concern was not met, as that of a replica set of one member does.
 */
import { CommandError, ErrorCode } from "../base/mod.ts";
import {
  aliasOfType,
  BuiltDocument,
  Document,
  Int32,
  isArray,
  isNumber,
  type RawDocument,
  typeOf,
  type Value,
} from "../bson/mod.ts";
import { shownDocument } from "../cluster/mod.ts";
import { Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";

const FIELDS: FieldTable = { w: "any", j: "flag", fsync: "flag", wtimeout: "any", provenance: "string" };
const MAX_NODES = 50;
const PROVENANCES: ReadonlySet<string> = new Set([
  "clientSupplied",
  "implicitDefault",
  "customDefault",
  "getLastErrorDefaults",
  "internalWriteDefault",
]);

/**
 * What a write concern asks for and one node cannot give, as an answer's `writeConcernError`; undefined for nothing.
 *
 * @throws CommandError where it is no write concern
 */
export function unmetConcern(document: RawDocument): Document | undefined {
  const fields = new Arguments(document);
  checkFields(fields, "WriteConcernOptions", FIELDS);
  if (fields.flag("j") && fields.flag("fsync")) {
    throw new CommandError("FailedToParse", "fsync and j options cannot be used together");
  }
  const provenance = fields.string("provenance") ?? "clientSupplied";
  if (!PROVENANCES.has(provenance)) {
    throw new CommandError(
      "BadValue",
      `Enumeration value '${provenance}' for field 'WriteConcernOptions.provenance' is not a valid value.`,
    );
  }
  const error = unmetNodes(document.get("w"));
  return error && BuiltDocument.of({
    code: Int32.of(error.code),
    codeName: error.codeName,
    errmsg: error.message,
    errInfo: BuiltDocument.of({ writeConcern: shownConcern(fields, provenance) }),
  });
}

/** Errors that tell what there is, so that the concern may have been waited for; others tell of the request. */
const OF_THE_STATE: ReadonlySet<number> = new Set([
  ErrorCode.NamespaceNotFound,
  ErrorCode.NamespaceExists,
  ErrorCode.IndexNotFound,
  ErrorCode.NoSuchTransaction,
  ErrorCode.ImmutableField,
  ErrorCode.DuplicateKey,
  ErrorCode.DocumentValidationFailure,
]);

/** Whether a command waits for its write concern. @param code that of the error by which it failed */
export function waitsForConcern(name: string, args: Arguments, code: number | undefined): boolean {
  if (code !== undefined) return OF_THE_STATE.has(code);
  if (name === "abortTransaction") return false;
  return name !== "aggregate" || writesOut(args.get("pipeline"));
}

function writesOut(pipeline: Value): boolean {
  const last = isArray(pipeline) ? pipeline.at(-1) : undefined;
  return last instanceof Document && (last.has("$out") || last.has("$merge"));
}

function unmetNodes(w: Value): CommandError | undefined {
  if (w === undefined || w === "majority") return undefined;
  if (isNumber(w)) return unmetCount(numberOf(w));
  if (w === null || typeof w === "string") {
    return new CommandError(
      "UnknownReplWriteConcern",
      `No write concern mode named '${w ?? ""}' found in replica set configuration`,
    );
  }
  if (w instanceof Document) return unmetTags(w);
  throw new CommandError(
    "FailedToParse",
    `w has to be a number, string, or object; found: ${aliasOfType(typeOf(w))}`,
  );
}

function unmetCount(count: number): CommandError | undefined {
  if (!(count >= 0 && count <= MAX_NODES)) {
    throw new CommandError(
      "FailedToParse",
      `w has to be a non-negative number and not greater than ${MAX_NODES}; found: ${count}`,
    );
  }
  if (Math.trunc(count) <= 1) return undefined;
  return new CommandError("UnsatisfiableWriteConcern", "Not enough data-bearing nodes");
}

function unmetTags(tags: Document): CommandError {
  const [first] = tags.names();
  if (first === undefined) throw new CommandError("FailedToParse", "tagged write concern requires tags");
  for (const name of tags.names()) {
    const value = tags.get(name);
    if (isNumber(value)) continue;
    const element = shownDocument(BuiltDocument.of({ [name]: value })).slice("{ ".length, -" }".length);
    throw new CommandError(
      "FailedToParse",
      `tags must be a single level document with only number values; found: ${element}`,
    );
  }
  return new CommandError("NoSuchKey", `No replica set tag key ${first} in config`);
}

/** As MongoDB shows what it was asked for. */
function shownConcern(fields: Arguments, provenance: string): Document {
  const w = fields.get("w");
  const wtimeout = fields.get("wtimeout");
  return BuiltDocument.of({
    w: isNumber(w) ? Int32.of(Math.trunc(numberOf(w))) : w instanceof Document ? shownTags(w) : w ?? "",
    j: fields.has("j") ? fields.flag("j") : undefined,
    fsync: fields.has("fsync") ? fields.flag("fsync") : undefined,
    wtimeout: Int32.of(isNumber(wtimeout) ? Math.trunc(numberOf(wtimeout)) : 0),
    provenance,
  });
}

function shownTags(tags: Document): Document {
  const counts = tags.names().map((name) => [name, BigInt(Math.trunc(numberOf(tags.get(name))))] as const);
  return BuiltDocument.of(Object.fromEntries(counts));
}

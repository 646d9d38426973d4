/** What a `find` asks for, checked. */
import { CommandError } from "../base/mod.ts";
import { BsonType, Document, isNumber } from "../bson/mod.ts";
import type { FindSpec } from "../query/mod.ts";
import { type Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import { isGenericArgument } from "./generic.ts";

const OWNER = "FindCommandRequest";
const FIELDS: FieldTable = {
  find: "any",
  filter: "plainObject",
  projection: "plainObject",
  sort: "plainObject",
  hint: "any",
  collation: "plainObject",
  skip: "number",
  limit: "number",
  batchSize: "number",
  singleBatch: "boolean",
  allowDiskUse: "boolean",
  min: "plainObject",
  max: "plainObject",
  returnKey: "boolean",
  showRecordId: "boolean",
  tailable: "boolean",
  awaitData: "boolean",
  oplogReplay: "boolean",
  noCursorTimeout: "boolean",
  allowPartialResults: "boolean",
  mirrored: "boolean",
  let: "object",
  options: "any",
  term: "any",
  readOnce: "boolean",
  allowSpeculativeMajorityRead: "boolean",
  collectionUUID: "binData",
};

export interface FindArguments {
  readonly spec: FindSpec;
  readonly batchSize: number | undefined;
  readonly singleBatch: boolean;
}

/** The fields of a find, checked. @throws CommandError */
export function parseFindArguments(args: Arguments): FindArguments {
  checkFields(args, OWNER, FIELDS, isGenericArgument);
  // MongoDB's wording, missing space included.
  if (args.type("filter") === BsonType.Null) {
    throw new CommandError("TypeMismatch", "Expected field filterto be of type object");
  }
  if (args.has("awaitData") && !args.has("tailable")) {
    throw new CommandError("FailedToParse", "Cannot set 'awaitData' without also setting 'tailable'");
  }
  const found = {
    spec: {
      filter: args.document("filter"),
      sort: args.document("sort"),
      skip: args.integerFrom("skip", 0) ?? 0,
      limit: args.integerFrom("limit", 0) ?? 0,
      projection: args.document("projection"),
      returnKey: args.get("returnKey") === true,
      showRecordId: args.get("showRecordId") === true,
    },
    batchSize: args.integerFrom("batchSize", 0),
    singleBatch: args.get("singleBatch") === true,
  };
  if (args.get("tailable") === true) checkTailable(found, args.get("hint"));
  return found;
}

/** @throws CommandError where a tailable cursor cannot do what is asked */
function checkTailable({ spec, singleBatch }: FindArguments, hint: unknown): void {
  if (singleBatch) {
    throw new CommandError("BadValue", "cannot use tailable option with the 'singleBatch' option");
  }
  const natural = spec.sort?.get("$natural");
  const isInOrder = spec.sort === undefined || spec.sort.isEmpty() ||
    (isNumber(natural) && numberOf(natural) === 1);
  const direction = hint instanceof Document ? hint.get("$natural") : undefined;
  if (isInOrder && !(isNumber(direction) && numberOf(direction) < 0)) return;
  throw new CommandError(
    "BadValue",
    "cannot use tailable option with a sort other than {$natural: 1}",
  );
}

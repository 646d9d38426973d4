/** `clusteredIndex` of `create`, and when what a clustered collection holds expires. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, Int32, isNumber, RawDocument } from "../bson/mod.ts";
import { shownDocument } from "../cluster/mod.ts";
import { Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import { checkExpiry } from "./timeseries_options.ts";

const FIELDS: FieldTable = { v: "number", key: "object!", name: "string", unique: "flag!" };
const VERSION = 2;

/** As `listCollections` shows it; undefined where it is not asked for. @throws CommandError in MongoDB's words */
export function parseClusteredIndex(args: Arguments): Document | undefined {
  const value = args.get("clusteredIndex");
  if (value === undefined || value === false || (isNumber(value) && numberOf(value) === 0)) return undefined;
  if (!(value instanceof RawDocument)) {
    const text =
      "The 'clusteredIndex' legacy format {clusteredIndex: <bool>} is only supported for specific internal " +
      "collections and vice versa";
    throw new CommandError(5979703, text);
  }
  const fields = new Arguments(value);
  checkFields(fields, "create", FIELDS);
  refuseOthers(args);
  const index = completed(fields);
  if (!isIdKey(fields.document("key"))) {
    const text = "The clusteredIndex option is only supported for key: {_id: 1}";
    throw new CommandError("InvalidIndexSpecificationOption", text);
  }
  if (!fields.flag("unique")) {
    throw new CommandError(5979700, "The clusteredIndex option requires unique: true to be specified");
  }
  const version = fields.get("v");
  if (version !== undefined && numberOf(version) !== VERSION) {
    throw new CommandError(
      5979704,
      `Invalid clusteredIndex specification ${shownDocument(index)}; cannot create a clusteredIndex with v=${
        numberOf(version)
      }`,
    );
  }
  return index;
}

function completed(fields: Arguments): Document {
  return BuiltDocument.of({
    v: Int32.of(numberOf(fields.get("v") ?? VERSION)),
    key: fields.document("key"),
    name: fields.string("name") ?? "_id_",
    unique: fields.flag("unique"),
  });
}

function isIdKey(key: Document | undefined): boolean {
  const direction = key?.get("_id");
  return key?.names().length === 1 && isNumber(direction) && numberOf(direction) === 1;
}

function refuseOthers(args: Arguments): void {
  if (args.has("viewOn")) {
    throw new CommandError(6026500, "The 'clusteredIndex' option is not supported with views");
  }
  if (args.has("autoIndexId") && !args.flag("autoIndexId")) {
    const text = "The 'clusteredIndex' option does not support {autoIndexId: false}";
    throw new CommandError(6026501, text);
  }
  if (args.has("idIndex")) {
    const text = "The 'clusteredIndex' option is not supported with the 'idIndex' option";
    throw new CommandError("InvalidOptions", text);
  }
  if (args.flag("capped")) {
    const text = "Clustered capped collection only available with 'enableTestCommands' server parameter";
    throw new CommandError(6127800, text);
  }
}

/** `expireAfterSeconds` as options keep it. @throws CommandError when it is negative or too large */
export function clusteredExpiry(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(checkExpiry(seconds));
}

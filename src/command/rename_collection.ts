/** `renameCollection`: another name, or another database, for a collection with all that it has. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, BsonType } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { type Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { checkDatabaseName, checkNamespaceToWrite, splitNamespace } from "./namespace.ts";

const FIELDS: FieldTable = {
  renameCollection: "any",
  to: "string!",
  dropTarget: "any",
  stayTemp: "bool",
};

export const renameCollection: Command = {
  name: "renameCollection",
  help: "rename a collection: {renameCollection: 'db.name', to: 'db.name', dropTarget?: true}",
  adminOnly: true,
  takesWriteConcern: true,
  run: runRename,
};

async function runRename(call: CommandCall): Promise<void> {
  const { args, state: { services: { router } } } = call;
  const source = sourceOf(args);
  checkFields(args, "renameCollection", FIELDS, isGenericArgument);
  const dropTarget = parseDropTarget(args);
  const target = targetOf(args.string("to") ?? "");
  if (namespaceText(source) === namespaceText(target)) {
    throw new CommandError("IllegalOperation", "Can't rename a collection to itself");
  }
  checkWritable(source, "source");
  checkWritable(target, "target");
  await router.renameCollection(source, target, dropTarget);
}

function sourceOf(args: Arguments): Namespace {
  const text = args.get("renameCollection");
  if (typeof text !== "string") {
    const type = aliasOfType(args.type("renameCollection"));
    throw new CommandError("BadValue", `collection name has invalid type ${type}`);
  }
  const source = splitNamespace(text);
  if (source === undefined) {
    throw new CommandError("InvalidNamespace", `Invalid namespace specified '${text}'`);
  }
  return source;
}

function targetOf(text: string): Namespace {
  const target = splitNamespace(text);
  if (target === undefined || target.collection.startsWith(".")) {
    throw new CommandError("InvalidNamespace", `Invalid target namespace: ${text}`);
  }
  checkDatabaseName(target.db);
  return target;
}

/** MongoDB takes the UUID of the collection that may go, too: sent by its own nodes alone. */
function parseDropTarget(args: Arguments): boolean {
  if (!args.has("dropTarget")) return false;
  const type = args.type("dropTarget");
  if (type === BsonType.Boolean) return args.get("dropTarget") === true;
  throw new CommandError(
    "TypeMismatch",
    `BSON field 'renameCollection.dropTarget' is the wrong type '${aliasOfType(type)}', expected types ` +
      "'[bool, binData']",
  );
}

function checkWritable(namespace: Namespace, which: string): void {
  try {
    checkNamespaceToWrite(namespace);
  } catch (error) {
    if (!(error instanceof CommandError) || error.codeName !== "InvalidNamespace") throw error;
    throw new CommandError("IllegalOperation", `error with ${which} namespace: ${error.message}`);
  }
}

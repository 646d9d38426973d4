/** `dropIndexes`: by name, by names, by key, or all but that on _id. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, type BsonWriter, Document, Int32, isArray, typeOf, type Value } from "../bson/mod.ts";
import { indexesOf as indexesInCatalog, shownDocument } from "../cluster/mod.ts";
import { checkFields, type FieldTable, missingField } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { hasKey, ID_INDEX, indexesOf, listedIndexes } from "./indexes.ts";
import { namespaceToWrite } from "./namespace.ts";

const FIELDS: FieldTable = {
  dropIndexes: "any",
  deleteIndexes: "any",
  index: "any",
  collectionUUID: "binData",
};

export const dropIndexes: Command = {
  name: "dropIndexes",
  aliases: ["deleteIndexes"],
  help: "drop indexes: {dropIndexes: name, index: a name, names, a key, or '*' for all but that on _id}",
  stableApi: true,
  takesWriteConcern: true,
  run: runDropIndexes,
};

async function runDropIndexes(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  const { args } = call;
  checkFields(args, "dropIndexes", FIELDS, isGenericArgument);
  const asked = args.get("index");
  if (asked === undefined) throw missingField("dropIndexes.index");
  checkAsked(asked);
  let before = 0;
  await call.state.services.router.changeIndexes(namespace, (info) => {
    before = indexesOf(info).length;
    const doomed = new Set(doomedBy(asked, listedIndexes(info)).map((index) => index.get("name")));
    return indexesInCatalog(info).filter((index) => !doomed.has(index.get("name")));
  });
  reply.value("nIndexesWas", Int32.of(before));
  if (asked === "*") reply.value("msg", "non-_id indexes dropped for collection");
}

function checkAsked(asked: Value): void {
  const isNames = isArray(asked) && asked.every((name) => typeof name === "string");
  if (typeof asked === "string" || asked instanceof Document || isNames) return;
  throw new CommandError(
    "TypeMismatch",
    `BSON field 'dropIndexes.index' is the wrong type '${aliasOfType(typeOf(asked))}', ` +
      // MongoDB's own text, stray quote included.
      "expected types '[string, object']",
  );
}

function doomedBy(asked: Value, indexes: readonly Document[]): readonly Document[] {
  if (asked === "*") return indexes.filter((index) => !isIdIndex(index));
  if (isArray(asked)) return asked.flatMap((name) => doomedBy(name, indexes));
  const found = asked instanceof Document
    ? indexes.filter((index) => hasKey(index, asked))
    : indexes.filter((index) => index.get("name") === asked);
  if (found.some((index) => index.has("clustered"))) {
    throw new CommandError(5979800, "It is illegal to drop the clusteredIndex");
  }
  if (found.some(isIdIndex)) throw new CommandError("InvalidOptions", "cannot drop _id index");
  if (found.length === 0) {
    throw new CommandError(
      "IndexNotFound",
      asked instanceof Document
        ? `can't find index with key: ${shownDocument(asked)}`
        : `index not found with name [${asked}]`,
    );
  }
  if (found.length > 1) {
    const names = found.map((index) => String(index.get("name"))).join(", ");
    throw new CommandError(
      "AmbiguousIndexKeyPattern",
      `${found.length} indexes found for key: ${
        shownDocument(asked as Document)
      }, identify by name instead. ` +
        `Conflicting indexes: ${names}`,
    );
  }
  return found;
}

function isIdIndex(index: Document): boolean {
  return index.get("name") === ID_INDEX.get("name") || index.has("clustered");
}

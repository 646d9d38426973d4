/** `validate`: reads all of a collection's files again and says whether they are whole. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, type Document, Int32, isNumber } from "../bson/mod.ts";
import { type IndexVerification, namespaceText, type Verification } from "../cluster/mod.ts";
import { type Arguments, numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { indexesOf } from "./indexes.ts";
import { namespaceOf } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { int64OrInt32 } from "./numbers.ts";

export const validate: Command = {
  name: "validate",
  help: "check a collection's files: {validate: name, full?: true looks at SQLite's pages too}",
  run: runValidate,
};

/** Problems that a reply names; a reply must not outgrow a document. */
const MAX_NAMED = 1000;

async function runValidate(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceOf(call, "InvalidNamespace");
  const isFull = isTrue(call.args, "full");
  checkOptions(call, isFull);
  const { router } = call.state.services;
  const info = router.collection(namespace);
  if (info === undefined) {
    const text = `Collection '${namespaceText(namespace)}' does not exist to validate.`;
    throw new CommandError("NamespaceNotFound", text);
  }
  reply.value("ns", namespaceText(namespace));
  reply.value("uuid", info.uuid);
  if (isTrue(call.args, "metadata")) return verdict({ problems: [], indexes: [] }, reply);
  const found = await router.verify(namespace, isFull, new QueryWork(call.operation).checkpoint);
  const names = indexesOf(info).map((index) => String(index.get("name"))).sort();
  countsOf(found, names, info.timeseries !== undefined, reply);
  verdict(found, reply);
}

function countsOf(
  found: Verification,
  names: readonly string[],
  isSeries: boolean,
  reply: BsonWriter,
): void {
  const keysOf = (name: string) =>
    found.indexes.find((index) => index.name === name)?.keys ??
      (name === "_id_" || isSeries ? found.records : 0);
  reply.value("nInvalidDocuments", int64OrInt32(found.invalidDocuments));
  reply.value("nNonCompliantDocuments", int64OrInt32(found.invalidDocuments));
  reply.value("nrecords", int64OrInt32(found.records));
  reply.value("nIndexes", Int32.of(names.length));
  reply.value("keysPerIndex", new BuiltDocument(names, names.map((name) => int64OrInt32(keysOf(name)))));
  reply.value("indexDetails", new BuiltDocument(names, names.map((name) => indexDetails(found, name))));
}

/** An index without a finding of its own is as whole as the documents are. */
function indexDetails(found: Verification, name: string): Document {
  const index = found.indexes.find((each) => each.name === name);
  if (index === undefined) return BuiltDocument.of({ valid: found.problems.length === 0 });
  if (isWhole(index)) return BuiltDocument.of({ valid: true });
  return BuiltDocument.of({ valid: false, errors: [inconsistent(index)] });
}

function isWhole({ missing, extra }: IndexVerification): boolean {
  return missing === 0 && extra === 0;
}

function inconsistent({ name }: IndexVerification): string {
  return `Index with name '${name}' has inconsistencies.`;
}

function verdict({ problems, indexes }: Pick<Verification, "problems" | "indexes">, reply: BsonWriter): void {
  const errors = [...problems, ...indexes.filter((index) => !isWhole(index)).map(inconsistent)];
  const named = errors.slice(0, MAX_NAMED);
  const left = errors.length - named.length;
  const missing = indexes.reduce((sum, index) => sum + index.missing, 0);
  const extra = indexes.reduce((sum, index) => sum + index.extra, 0);
  reply.value("valid", errors.length === 0);
  reply.value("repaired", false);
  reply.value("warnings", [
    ...(left > 0 ? [`${left} more errors are not listed`] : []),
    ...(extra > 0 ? [`Detected ${extra} extra index entries.`] : []),
    ...(missing > 0 ? [`Detected ${missing} missing index entries.`] : []),
  ]);
  reply.value("errors", named);
  reply.value("extraIndexEntries", indexes.flatMap((index) => entries(index, index.extraEntries)));
  reply.value("missingIndexEntries", indexes.flatMap((index) => entries(index, index.missingEntries)));
  reply.value("corruptRecords", []);
}

function entries({ name }: IndexVerification, found: IndexVerification["extraEntries"]): readonly Document[] {
  return found.map(({ seq, id, key, bytes }) =>
    BuiltDocument.of({
      indexName: name,
      recordId: int64OrInt32(seq),
      idKey: id,
      indexKey: key,
      keyString: key === undefined ? bytes.toHex() : undefined,
    })
  );
}

/** As MongoDB takes these options: anything but false, null and zero is true. */
function isTrue(args: Arguments, name: string): boolean {
  const value = args.get(name);
  return value !== undefined && value !== false && !(isNumber(value) && numberOf(value) === 0);
}

/** @throws CommandError InvalidOptions for options that exclude each other, in MongoDB's words */
function checkOptions({ args }: CommandCall, isFull: boolean): void {
  const background = isTrue(args, "background");
  for (
    const [name, isSet] of [["full", isFull], ["enforceFastCount", isTrue(args, "enforceFastCount")]] as const
  ) {
    if (!background || !isSet) continue;
    const both = `{ background: true } and { ${name}: true }`;
    const text = `Running the validate command with both ${both} is not supported.`;
    throw new CommandError("InvalidOptions", text);
  }
  const others = ["full", "enforceFastCount", "background", "repair"].some((name) => isTrue(args, name));
  if (!isTrue(args, "metadata") || !others) return;
  const text = "Running the validate command with { metadata: true } is not supported with any other options";
  throw new CommandError("InvalidOptions", text);
}

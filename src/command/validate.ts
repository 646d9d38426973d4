/** `validate`: reads all of a collection's files again and says whether they are whole. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Int32, isNumber } from "../bson/mod.ts";
import { namespaceText, type Verification } from "../cluster/mod.ts";
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
  if (isTrue(call.args, "metadata")) return verdict([], reply);
  const found = await router.verify(namespace, isFull, new QueryWork(call.operation).checkpoint);
  const indexes = indexesOf(info).map((index) => String(index.get("name")));
  countsOf(found, indexes, reply);
  verdict(found.problems, reply);
}

function countsOf(found: Verification, indexes: readonly string[], reply: BsonWriter): void {
  const isValid = found.problems.length === 0;
  reply.value("nInvalidDocuments", int64OrInt32(found.invalidDocuments));
  reply.value("nNonCompliantDocuments", int64OrInt32(found.invalidDocuments));
  reply.value("nrecords", int64OrInt32(found.records));
  reply.value("nIndexes", Int32.of(indexes.length));
  reply.value("keysPerIndex", new BuiltDocument(indexes, indexes.map(() => int64OrInt32(found.records))));
  const details = indexes.map(() => BuiltDocument.of({ valid: isValid }));
  reply.value("indexDetails", new BuiltDocument(indexes, details));
}

function verdict(problems: readonly string[], reply: BsonWriter): void {
  const named = problems.slice(0, MAX_NAMED);
  const left = problems.length - named.length;
  reply.value("valid", problems.length === 0);
  reply.value("repaired", false);
  reply.value("warnings", left > 0 ? [`${left} more errors are not listed`] : []);
  reply.value("errors", named);
  for (const name of ["extraIndexEntries", "missingIndexEntries", "corruptRecords"]) reply.value(name, []);
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

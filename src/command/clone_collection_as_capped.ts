/** `cloneCollectionAsCapped`: a capped collection with the last documents of another one. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, encodeDocument, RawDocument } from "../bson/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText, refuseView } from "../cluster/mod.ts";
import { parseFind } from "../query/mod.ts";
import { withCapped } from "./capped_options.ts";
import type { Command, CommandCall } from "./command.ts";
import { cappedSize } from "./convert_to_capped.ts";
import { checkNamespaceToWrite, namespaceToWrite } from "./namespace.ts";
import { QueryWork } from "./operation.ts";

export const cloneCollectionAsCapped: Command = {
  name: "cloneCollectionAsCapped",
  help: "copy a collection: {cloneCollectionAsCapped: name, toCollection: name, size: bytes}",
  takesWriteConcern: true,
  run: runClone,
};

async function runClone(call: CommandCall): Promise<void> {
  const { args, state: { services: { router } } } = call;
  const source = namespaceToWrite(call);
  const name = args.string("toCollection");
  if (name === undefined || name === "") throw new CommandError("InvalidOptions", "invalid command spec");
  const size = cappedSize(args);
  const target = { db: source.db, collection: name };
  checkNamespaceToWrite(target);
  checkSource(router.collection(source), source);
  if (router.collection(target) !== undefined) {
    throw new CommandError(
      "NamespaceExists",
      `cloneCollectionAsCapped failed - destination collection ${
        namespaceText(target)
      } already exists. source ` +
        `collection: ${namespaceText(source)}`,
    );
  }
  await router.createCollection(target, { options: withCapped(BuiltDocument.EMPTY, size, undefined) });
  const rows = router.query(source, parseFind({}), new QueryWork(call.operation));
  for await (const batch of rows) {
    const documents = batch.map((document) => new RawDocument(encodeDocument(document)));
    const { errors } = await router.insert(target, documents, true);
    if (errors[0] !== undefined) throw errors[0].error;
  }
}

function checkSource(info: CollectionInfo | undefined, namespace: Namespace): void {
  if (info === undefined) {
    const text = `source collection ${namespaceText(namespace)} does not exist`;
    throw new CommandError("NamespaceNotFound", text);
  }
  refuseView(info);
  if (info.timeseries === undefined) return;
  const text = `Namespace ${namespaceText(namespace)} is a timeseries collection`;
  throw new CommandError("CommandNotSupportedOnView", text);
}

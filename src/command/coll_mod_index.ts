/** What `collMod` does to an index: hides it from the planner, or shows it again. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, RawDocument } from "../bson/mod.ts";
import { indexesOf, type Namespace, namespaceText, shownDocument } from "../cluster/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import { hasKey } from "./drop_indexes.ts";
import { ID_INDEX } from "./indexes.ts";

const FIELDS: FieldTable = {
  name: "string",
  keyPattern: "object",
  expireAfterSeconds: "number",
  hidden: "flag",
  unique: "flag",
  prepareUnique: "flag",
};
const NOT_IMPLEMENTED = ["expireAfterSeconds", "unique", "prepareUnique"] as const;

export interface IndexChange {
  /** A name, or a key. */
  readonly index: string | Document;
  readonly hidden: boolean;
}

/** @throws CommandError when the form is wrong */
export function parseIndexChange(args: Arguments): IndexChange | undefined {
  const document = args.get("index");
  if (!(document instanceof RawDocument)) return undefined;
  const fields = new Arguments(document);
  checkFields(fields, "collMod.index", FIELDS);
  const index = fields.string("name") ?? fields.document("keyPattern");
  if (index === undefined) throw invalid("Must specify either index name or key pattern.");
  if (fields.has("name") && fields.has("keyPattern")) {
    throw invalid("Cannot specify both key pattern and name.");
  }
  const missing = NOT_IMPLEMENTED.find((name) => fields.has(name));
  if (missing !== undefined) {
    throw new CommandError("NotImplemented", `the option 'index.${missing}' of collMod is not implemented`);
  }
  if (!fields.has("hidden")) throw invalid("no expireAfterSeconds, hidden, unique, or prepareUnique field");
  return { index, hidden: fields.flag("hidden") };
}

export async function changeIndex(
  call: CommandCall,
  namespace: Namespace,
  { index: asked, hidden }: IndexChange,
  reply: BsonWriter,
): Promise<void> {
  const isAsked = (index: Document) =>
    asked instanceof Document ? hasKey(index, asked) : index.get("name") === asked;
  let wasHidden = hidden;
  await call.state.services.router.changeIndexes(namespace, (info) => {
    if (info.timeseries === undefined && isAsked(ID_INDEX)) {
      throw new CommandError("BadValue", "can't hide _id index");
    }
    const indexes = indexesOf(info);
    const found = indexes.find(isAsked);
    if (found === undefined) {
      const text = asked instanceof Document ? shownDocument(asked) : asked;
      throw new CommandError("IndexNotFound", `cannot find index ${text} for ns ${namespaceText(namespace)}`);
    }
    wasHidden = found.get("hidden") === true;
    return indexes.map((index) => index === found ? withHidden(index, hidden) : index);
  });
  if (wasHidden === hidden) return;
  reply.value("hidden_old", wasHidden);
  reply.value("hidden_new", hidden);
}

function withHidden(index: Document, hidden: boolean): Document {
  const names = index.names().filter((name) => name !== "hidden");
  const values = names.map((name) => index.get(name));
  return hidden
    ? new BuiltDocument([...names, "hidden"], [...values, true])
    : new BuiltDocument(names, values);
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}

/** `create`: a time-series collection with its options, or a plain one. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, collationOfOptions, type Document } from "../bson/mod.ts";
import {
  type CollectionInfo,
  type CollectionSpec,
  type Namespace,
  namespaceText,
  timeseriesSpecOf,
} from "../cluster/mod.ts";
import { type Arguments, checkFields, type FieldTable } from "./arguments.ts";
import { IMAGES_OPTION, parseImagesOption, shownImages } from "./change_stream_images.ts";
import { withCapped } from "./capped_options.ts";
import { clusteredExpiry, parseClusteredIndex } from "./clustered_options.ts";
import { parseDefaultCollation } from "./collation.ts";
import { withOptions } from "./collection_options.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { parseTimeseriesOptions, withExpiry } from "./timeseries_options.ts";
import { checkValidator, readValidation, shownValidation } from "./validation_options.ts";
import { viewPipeline, viewSpec } from "./view_options.ts";

const FIELDS: FieldTable = {
  create: "any",
  timeseries: "object",
  expireAfterSeconds: "number",
  capped: "flag",
  size: "number",
  max: "number",
  autoIndexId: "flag",
  idIndex: "object",
  clusteredIndex: "any",
  storageEngine: "object",
  validator: "object",
  validationLevel: "string",
  validationAction: "string",
  indexOptionDefaults: "object",
  viewOn: "string",
  pipeline: "array",
  collation: "object",
  changeStreamPreAndPostImages: "object",
  encryptedFields: "object",
  flags: "number",
  temp: "flag",
};
/** Options that MongoDB refuses together with `timeseries`. */
const NOT_WITH_TIMESERIES = [
  "capped",
  "viewOn",
  "autoIndexId",
  "idIndex",
  "clusteredIndex",
  "validator",
  "validationLevel",
  "validationAction",
  "changeStreamPreAndPostImages",
  "encryptedFields",
] as const;
/** Options of plain collections that change what a collection does and are not there yet. */
const NOT_IMPLEMENTED = ["encryptedFields"] as const;

export const create: Command = {
  name: "create",
  help:
    "create a collection: {create: name, timeseries: {timeField, metaField?, granularity?}, expireAfterSeconds?}",
  stableApi: true,
  takesWriteConcern: true,
  run: runCreate,
};

async function runCreate(call: CommandCall): Promise<void> {
  checkFields(call.args, "create", FIELDS, isGenericArgument);
  const namespace = namespaceToWrite(call);
  const { args } = call;
  checkCombinations(args);
  const { router } = call.state.services;
  const spec = specOf(args, namespace, router.collection(namespace));
  if (spec.view === undefined) refuseMissingOptions(args);
  if (call.transaction !== undefined) checkMadeInTransaction(spec);
  await router.createCollection(namespace, spec, call.transaction);
}

/** @throws CommandError OperationNotSupportedInTransaction for what MongoDB does not make in transactions */
function checkMadeInTransaction({ timeseries, view }: CollectionSpec): void {
  const kind = timeseries !== undefined ? "time-series collection" : view !== undefined ? "view" : undefined;
  if (kind === undefined) return;
  const message = `Cannot create a ${kind} in a multi-document transaction.`;
  throw new CommandError("OperationNotSupportedInTransaction", message);
}

/** @throws CommandError NamespaceExists where `existing` is there, before what options say is looked at closely */
function specOf(args: Arguments, namespace: Namespace, existing: CollectionInfo | undefined): CollectionSpec {
  if (args.has("timeseries")) return timeseriesSpec(args, namespace, existing);
  const plain = plainSpec(args, namespace, existing);
  if (!args.has("viewOn")) return plain;
  if (args.has(IMAGES_OPTION)) throw invalidOptions(`option not supported on a view: ${IMAGES_OPTION}`);
  return viewSpec(namespace, args.string("viewOn")!, viewPipeline(args, "create"), defaultCollation(args));
}

function refuseExisting(info: CollectionInfo | undefined, args: Arguments): void {
  if (info === undefined) return;
  const message = args.has("viewOn") ? existsForView(info) : existsForCollection(info);
  throw new CommandError("NamespaceExists", message);
}

function existsForView(info: CollectionInfo): string {
  if (info.view !== undefined) return "Namespace already exists";
  return `Cannot create collection ${namespaceText(info)} - collection already exists.`;
}

function existsForCollection(info: CollectionInfo): string {
  if (info.view !== undefined) return `A view already exists. NS: ${namespaceText(info)}`;
  return info.timeseries === undefined
    ? `Collection ${namespaceText(info)} already exists.`
    : `A timeseries collection already exists. NS: ${namespaceText(info)}`;
}

/** Refuses the options that are known and not there yet. */
function refuseMissingOptions(args: Arguments): void {
  for (const option of NOT_IMPLEMENTED) {
    if (isSet(args, option)) {
      throw new CommandError("NotImplemented", `the option '${option}' of create is not implemented`);
    }
  }
}

/** What holds for every kind of collection. */
function checkCombinations(args: Arguments): void {
  if (args.flag("capped")) {
    if (!args.has("size")) throw invalidOptions("the 'size' field is required when 'capped' is true");
  } else if (args.has("size") || args.has("max")) {
    throw invalidOptions(
      "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
    );
  }
  if (args.has("pipeline") && !args.has("viewOn")) {
    throw invalidOptions("'pipeline' requires 'viewOn' to also be specified");
  }
  if (args.has("temp")) throw invalidOptions("the 'temp' field is an invalid option");
}

function timeseriesSpec(
  args: Arguments,
  namespace: Namespace,
  existing: CollectionInfo | undefined,
): CollectionSpec {
  const timeseries = parseTimeseriesOptions(args, namespace);
  for (const option of NOT_WITH_TIMESERIES) {
    if (isSet(args, option)) {
      throw invalidOptions(`${namespaceText(namespace)}: 'timeseries' is not allowed with '${option}'`);
    }
  }
  refuseExisting(existing, args);
  return timeseriesSpecOf(withExpiry(timeseries, args), defaultCollation(args));
}

function plainSpec(
  args: Arguments,
  namespace: Namespace,
  existing: CollectionInfo | undefined,
): CollectionSpec {
  if (args.has("expireAfterSeconds") && !args.has("clusteredIndex")) {
    throw invalidOptions(
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is " +
        "specified",
    );
  }
  const validation = readValidation(args, "create");
  const changeStreamPreAndPostImages = shownImages(parseImagesOption(args, "create", namespace.db) === true);
  const capped = args.flag("capped")
    ? withCapped(BuiltDocument.EMPTY, args.get("size"), args.get("max"))
    : BuiltDocument.EMPTY;
  refuseExisting(existing, args);
  const collation = defaultCollation(args);
  checkValidator(namespace, validation, collation && collationOfOptions(BuiltDocument.of({ collation })));
  const changed = {
    ...shownValidation(validation),
    collation,
    changeStreamPreAndPostImages,
    clusteredIndex: parseClusteredIndex(args),
    expireAfterSeconds: clusteredExpiry(args.integer("expireAfterSeconds")),
  };
  return { options: withOptions(capped, changed) };
}

function defaultCollation(args: Arguments): Document | undefined {
  const collation = args.document("collation");
  return collation && parseDefaultCollation(collation);
}

/** Whether an option asks for something: `capped: false` does not. */
function isSet(args: Arguments, option: string): boolean {
  return option === "capped" ? args.flag(option) : args.has(option);
}

function invalidOptions(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}

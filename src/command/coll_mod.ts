/** `collMod`: other options for a collection that is there; of a time series its expiry and its granularity. */
import { CommandError } from "../base/mod.ts";
import {
  aliasOfType,
  type BsonWriter,
  collationOfOptions,
  type Document,
  isNumber,
  RawDocument,
} from "../bson/mod.ts";
import {
  clusteredIndexOf,
  type CollectionInfo,
  type CollectionSpec,
  type Granularity,
  SPAN_SECONDS,
  type TimeseriesOptions,
  timeseriesSpecOf,
  type ViewDefinition,
} from "../cluster/mod.ts";
import { withContext } from "../query/mod.ts";
import { Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import { IMAGES_OPTION, parseImagesOption, shownImages } from "./change_stream_images.ts";
import { clusteredExpiry } from "./clustered_options.ts";
import { withOptions } from "./collection_options.ts";
import { withCapped } from "./capped_options.ts";
import type { Command, CommandCall } from "./command.ts";
import { changeIndex, parseIndexChange } from "./coll_mod_index.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { checkExpiry, parseGranularity } from "./timeseries_options.ts";
import {
  changedValidation,
  checkValidator,
  readValidation,
  type ValidationOptions,
} from "./validation_options.ts";
import { viewPipeline, viewSpec } from "./view_options.ts";

const FIELDS: FieldTable = {
  collMod: "any",
  expireAfterSeconds: "any",
  timeseries: "object",
  index: "object",
  validator: "object",
  validationLevel: "string",
  validationAction: "string",
  viewOn: "string",
  pipeline: "array",
  changeStreamPreAndPostImages: "object",
  recordPreImages: "bool",
  cappedSize: "number",
  cappedMax: "number",
  dryRun: "flag",
};
const TIMESERIES_FIELDS: FieldTable = { granularity: "string" };
/** Options that change what a collection does and are not there yet. */
const NOT_IMPLEMENTED = [
  "pipeline",
  "viewOn",
  "recordPreImages",
] as const;
/** Options of plain collections alone. */
const OF_PLAIN = [
  "validator",
  "validationLevel",
  "validationAction",
  "cappedSize",
  "cappedMax",
  IMAGES_OPTION,
] as const;
/** From the finest on: a granularity may only grow. */
const GRANULARITIES: readonly Granularity[] = ["seconds", "minutes", "hours"];

export const collMod: Command = {
  name: "collMod",
  help: "change the options of a collection: {collMod: name, expireAfterSeconds?: seconds or 'off'}",
  stableApi: true,
  takesWriteConcern: true,
  run: runCollMod,
};

async function runCollMod(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  const { args } = call;
  checkFields(args, "collMod", FIELDS, isGenericArgument);
  const granularity = parseGranularityChange(args);
  const expiry = parseExpiryChange(args);
  const validation = readValidation(args, "collMod");
  const keepsImages = parseImagesOption(args, "collMod", namespace.db);
  const change = parseIndexChange(args);
  const { router } = call.state.services;
  const isView = router.collection(namespace)?.view !== undefined;
  if (change !== undefined && !isView) {
    await changeIndex(call, namespace, change, reply);
    if (
      !Object.keys(FIELDS).some((name) =>
        name !== "collMod" && name !== "index" && name !== "dryRun" && args.has(name)
      )
    ) return;
  }
  await router.modifyCollection(namespace, (info) => {
    const { timeseries } = info;
    if (info.view !== undefined) return changedView(args, info, info.view);
    for (const option of NOT_IMPLEMENTED) {
      if (args.has(option)) throw refused(option, info);
    }
    if (timeseries === undefined) return withImages(plainSpec(args, validation, expiry, info), keepsImages);
    for (const option of OF_PLAIN) {
      if (args.has(option)) throw refused(option, info);
    }
    const changed = withGranularity(withExpiry(timeseries, expiry), granularity);
    return timeseriesSpecOf(changed, info.options.get("collation"));
  });
}

/** A change of the expiry: seconds, `off`, or none asked for. */
type ExpiryChange = number | "off" | undefined;

function parseExpiryChange(args: Arguments): ExpiryChange {
  const value = args.get("expireAfterSeconds");
  if (value === undefined || value === "off") return value;
  if (typeof value === "string") {
    throw invalidOptions(
      `Invalid string value for the 'clusteredIndex::expireAfterSeconds' option. Got: '${value}'. Accepted value is 'off'`,
    );
  }
  if (!isNumber(value)) {
    const found = aliasOfType(args.type("expireAfterSeconds"));
    throw new CommandError(
      "TypeMismatch",
      `BSON field 'collMod.expireAfterSeconds' is the wrong type '${found}', expected types '[string, long']`,
    );
  }
  return checkExpiry(Math.trunc(numberOf(value)));
}

function parseGranularityChange(args: Arguments): Granularity | undefined {
  const document = args.get("timeseries");
  if (!(document instanceof RawDocument)) return undefined;
  const fields = new Arguments(document);
  checkFields(fields, "collMod.timeseries", TIMESERIES_FIELDS);
  return parseGranularity(fields, "collMod.timeseries");
}

function plainSpec(
  args: Arguments,
  validation: ValidationOptions,
  expiry: ExpiryChange,
  info: CollectionInfo,
): CollectionSpec {
  const { options } = info;
  if (expiry !== undefined && clusteredIndexOf(info) === undefined) {
    throw invalidOptions("'expireAfterSeconds' option is only supported on collections clustered by _id");
  }
  if (args.has("timeseries")) {
    throw invalidOptions("option only supported on a time-series collection: isTimeseriesNamespace");
  }
  try {
    checkValidator(info, validation, collationOfOptions(options));
  } catch (error) {
    throw withContext("Parsing of collection validator failed", error);
  }
  const capped = changedCap(args, options);
  const changed = expiry === undefined
    ? capped
    : withOptions(capped, { expireAfterSeconds: expiry === "off" ? undefined : clusteredExpiry(expiry) });
  return { options: changedValidation(changed, validation) };
}

function withImages(spec: CollectionSpec, keepsImages: boolean | undefined): CollectionSpec {
  if (keepsImages === undefined) return spec;
  return { options: withOptions(spec.options, { [IMAGES_OPTION]: shownImages(keepsImages) }) };
}

function withExpiry(timeseries: TimeseriesOptions, change: ExpiryChange): TimeseriesOptions {
  if (change === undefined) return timeseries;
  const { expireAfterSeconds: _, ...others } = timeseries;
  return change === "off" ? others : { ...others, expireAfterSeconds: change };
}

function withGranularity(
  timeseries: TimeseriesOptions,
  granularity: Granularity | undefined,
): TimeseriesOptions {
  if (granularity === undefined || granularity === timeseries.granularity) return timeseries;
  const { bucketRoundingSeconds: _, ...others } = timeseries;
  const grows = timeseries.granularity === undefined
    ? SPAN_SECONDS[granularity] >= timeseries.bucketMaxSpanSeconds
    : GRANULARITIES.indexOf(granularity) > GRANULARITIES.indexOf(timeseries.granularity);
  if (!grows) {
    throw invalidOptions(
      "Invalid transition for timeseries.granularity. Can only transition from 'seconds' to 'minutes' or 'minutes' to " +
        "'hours'.",
    );
  }
  return { ...others, granularity, bucketMaxSpanSeconds: SPAN_SECONDS[granularity] };
}

function changedCap(args: Arguments, options: Document): Document {
  if (!args.has("cappedSize") && !args.has("cappedMax")) return options;
  if (options.get("capped") !== true) throw invalidOptions("Collection must be capped.");
  return withCapped(options, args.get("cappedSize"), args.get("cappedMax"), "cappedSize");
}

/** Of a view only what it shows may change. */
function changedView(args: Arguments, info: CollectionInfo, view: ViewDefinition): CollectionSpec {
  for (const name of Object.keys(FIELDS)) {
    if (name === "collMod" || name === "viewOn" || name === "pipeline" || !args.has(name)) continue;
    throw invalidOptions(`option not supported on a view: ${name}`);
  }
  const pipeline = args.has("pipeline") ? viewPipeline(args, "collMod") : view.pipeline;
  return viewSpec(info, args.string("viewOn") ?? view.viewOn, pipeline, info.options.get("collation"));
}

function refused(option: string, info: CollectionInfo): CommandError {
  if (option === "viewOn" || option === "pipeline") {
    return invalidOptions(`option only supported on a view: ${option}`);
  }
  if (info.timeseries !== undefined) {
    return invalidOptions(`option not supported on a time-series collection: ${option}`);
  }
  return new CommandError("NotImplemented", `the option '${option}' of collMod is not implemented`);
}

function invalidOptions(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}

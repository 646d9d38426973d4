/** The specification of `$changeStream`, and which stages may stand behind it, with MongoDB's codes and wordings. */
import { CommandError, type ErrorCodeLike } from "../base/mod.ts";
import { aliasOfType, type BsonType, RawDocument, Timestamp, type Value } from "../bson/mod.ts";
import { type ChangeFeedOptions, parseToken, type Position } from "../cluster/mod.ts";
import { elementText, isFirstOnly, namedStage, renderValue, type Stage } from "../query/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";

export const CHANGE_STREAM = "$changeStream";

const FIELDS: FieldTable = {
  fullDocument: "string",
  fullDocumentBeforeChange: "string",
  resumeAfter: "object",
  startAfter: "object",
  startAtOperationTime: "any",
  allChangesForCluster: "boolean",
  showExpandedEvents: "boolean",
  showMigrationEvents: "boolean",
  showSystemEvents: "boolean",
  showRawUpdateDescription: "boolean",
};
/** Known to MongoDB, not yet here. */
const NOT_IMPLEMENTED = ["showSystemEvents"] as const;
const FULL_DOCUMENT = ["default", "updateLookup", "whenAvailable", "required"] as const;
const BEFORE_CHANGE = ["off", "whenAvailable", "required"] as const;

export interface ChangeStreamSpec extends Omit<ChangeFeedOptions, "scope"> {
  readonly allChangesForCluster: boolean;
}

/** @throws CommandError */
export function parseChangeStreamSpec(spec: Value): ChangeStreamSpec {
  if (!(spec instanceof RawDocument)) {
    throw fail(
      6188500,
      `$changeStream must take a nested object but found: ${elementText(CHANGE_STREAM, spec)}`,
    );
  }
  const args = new Arguments(spec);
  checkFields(args, CHANGE_STREAM, FIELDS);
  for (const name of NOT_IMPLEMENTED) {
    if (args.get(name) === true) {
      throw fail("NotImplemented", `the option '${name}' of $changeStream is not implemented`);
    }
  }
  return {
    fullDocument: oneOf(args, "fullDocument", FULL_DOCUMENT),
    fullDocumentBeforeChange: oneOf(args, "fullDocumentBeforeChange", BEFORE_CHANGE),
    showExpandedEvents: args.get("showExpandedEvents") === true,
    showRawUpdateDescription: args.get("showRawUpdateDescription") === true,
    allChangesForCluster: args.get("allChangesForCluster") === true,
    from: parseStart(args),
  };
}

function oneOf<const T extends string>(args: Arguments, name: string, values: readonly [T, ...T[]]): T {
  const value = args.string(name);
  if (value === undefined) return values[0];
  const found = values.find((known) => known === value);
  if (found !== undefined) return found;
  throw fail(
    "BadValue",
    `Enumeration value '${value}' for field '$changeStream.${name}' is not a valid value.`,
  );
}

function parseStart(args: Arguments): Position | undefined {
  const resumeAfter = tokenIn(args, "resumeAfter");
  const startAfter = tokenIn(args, "startAfter");
  const time = timeIn(args);
  if (resumeAfter !== undefined && startAfter !== undefined) {
    throw fail(50865, "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage");
  }
  const token = resumeAfter ?? startAfter;
  if (token !== undefined && time !== undefined) {
    throw fail(40674, "Only one type of resume option is allowed, but multiple were found");
  }
  if (resumeAfter?.kind === "event" && resumeAfter.isInvalidate) {
    throw fail(
      "InvalidResumeToken",
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification",
    );
  }
  return token ?? (time === undefined ? undefined : { kind: "before", time });
}

function tokenIn(args: Arguments, name: string): Position | undefined {
  const token = args.document(name);
  if (token === undefined) return undefined;
  const data = token.get("_data");
  if (typeof data === "string") return parseToken(data);
  throw fail(
    40647,
    `Bad resume token: _data of missing or of wrong type. Expected string, got ${renderValue(token)}`,
  );
}

function timeIn(args: Arguments): bigint | undefined {
  const time = args.get("startAtOperationTime");
  if (time === undefined) return undefined;
  if (time instanceof Timestamp) return BigInt.asUintN(64, time.toBigInt());
  throw wrongType("startAtOperationTime", args.type("startAtOperationTime"), "timestamp");
}

/** What MongoDB calls a stage that it writes as another one. */
const TRUE_NAMES: Partial<Readonly<Record<Stage["kind"], string>>> = {
  count: "$group",
  group: "$group",
  setWindowFields: "$_internalSetWindowFields",
  sort: "$sort",
};
/** They look at one event at a time. */
const ALLOWED: ReadonlySet<Stage["kind"]> = new Set(["match", "project", "redact", "replaceRoot"]);

/**
 * @param behind the stages behind `$changeStream`
 * @param parse reads one that may stand behind others
 * @throws CommandError IllegalOperation when one may not stand there, once all are read
 */
export function checkStagesBehind(
  behind: readonly Value[],
  parse: (stage: Value) => readonly Stage[],
): void {
  const parsed = behind.map((value) => {
    const [name] = namedStage(value);
    return { name, stages: isFirstOnly(name) || name === "$geoNear" ? undefined : parse(value) };
  });
  for (const { name, stages } of parsed) {
    if (name === CHANGE_STREAM) continue;
    const refused = stages?.find(({ kind }) => !ALLOWED.has(kind));
    if (stages !== undefined && refused === undefined) continue;
    const trueName = refused && name !== "$timeWindow" ? TRUE_NAMES[refused.kind] : undefined;
    throw fail("IllegalOperation", `${trueName ?? name} is not permitted in a $changeStream pipeline`);
  }
}

/** @throws CommandError when the read concern is one that change streams cannot have */
export function checkReadConcern(args: Arguments): void {
  const level = args.document("readConcern")?.get("level");
  if (level === undefined || level === "majority") return;
  throw fail(
    "InvalidOptions",
    `Command aggregate does not support { readConcern: { level: "${level}", provenance: "clientSupplied" } } :: caused ` +
      "by :: Aggregation stage $changeStream cannot run with a readConcern other than 'majority'. Current readConcern: " +
      `${level}`,
  );
}

function wrongType(name: string, type: BsonType, expected: string): CommandError {
  return fail(
    "TypeMismatch",
    `BSON field '$changeStream.${name}' is the wrong type '${
      aliasOfType(type)
    }', expected type '${expected}'`,
  );
}

function fail(code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, message);
}

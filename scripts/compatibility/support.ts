/**
 * What there is of MongoDB's language and commands, read off the registries: each name is tried, and is missing when it is
 * refused with NotImplemented (238).
 */
import { CommandError } from "../../src/base/mod.ts";
import { BuiltDocument, Int32, type Value } from "../../src/bson/mod.ts";
import { COMMANDS } from "../../src/command/commands.ts";
import { CHANGE_STREAM } from "../../src/command/change_stream_spec.ts";
import { isFirstStage } from "../../src/command/first_stage.ts";
import { MISSING_COMMANDS, notImplemented } from "../../src/command/missing_commands.ts";
import { accumulatorNames, parseAccumulator } from "../../src/query/accumulator/accumulators.ts";
import { findOperator, operatorNames } from "../../src/query/expression/operators.ts";
import { filterOperatorNames, parseFilter } from "../../src/query/filter/parse.ts";
import { parseStages, stageNames } from "../../src/query/stages.ts";
import { modifierNames } from "../../src/query/update/modifiers.ts";
import { windowFunctionNames } from "../../src/query/window/functions.ts";
import { OWN } from "./own.ts";
import { COMMANDS_PARTLY, type Lack, STAGES_PARTLY } from "./partly.ts";

/** One kind of names: commands, stages, operators of a filter … */
export interface Family {
  readonly id: string;
  readonly title: string;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly name: string;
  /** How else a command may be spelled. */
  readonly aliases: readonly string[];
  /** What it lacks. */
  readonly lacks: readonly Lack[];
  /** The answer to who asks for it; undefined when it is there. */
  readonly refusal: CommandError | undefined;
}

const CONTEXT = { variables: new Set<string>() };
const NOT_IMPLEMENTED = 238;
/** MongoDB's own words for what is not there. */
const REFUSALS: ReadonlySet<string> = new Set(["IndexNotFound", "SearchNotEnabled"]);
/** For what has no names to try: all that are listed are there. */
const there = () => {};

/** @returns the families in the order of the page, without ChronoGo's own */
export function families(): readonly Family[] {
  const filters = filterOperatorNames();
  return [
    { id: "commands", title: "Commands", entries: commandEntries() },
    { id: "stages", title: "Stages", entries: entriesOf(stageNames(), tryStage, STAGES_PARTLY) },
    {
      id: "filter-operators",
      title: "Filter operators, of a document",
      entries: entriesOf(filters.document, (name) => parseFilter(documentOf(name))),
    },
    {
      id: "field-operators",
      title: "Filter operators, of a field",
      entries: entriesOf(filters.field, (name) => parseFilter(BuiltDocument.of({ a: documentOf(name) }))),
    },
    {
      id: "expressions",
      title: "Expression operators",
      entries: entriesOf(operatorNames(), findOperator),
    },
    {
      id: "accumulators",
      title: "Accumulators",
      entries: entriesOf(accumulatorNames(), (name) => parseAccumulator(name, Int32.of(1), CONTEXT)),
    },
    { id: "window-functions", title: "Window functions", entries: entriesOf(windowFunctionNames(), there) },
    { id: "update-operators", title: "Update operators", entries: entriesOf(modifierNames(), there) },
  ];
}

function commandEntries(): readonly Entry[] {
  const here = COMMANDS.filter(({ name }) => !Object.hasOwn(OWN, name)).map(({ name, aliases }): Entry => ({
    name,
    aliases: aliases ?? [],
    lacks: COMMANDS_PARTLY[name] ?? [],
    refusal: undefined,
  }));
  const missing = [...MISSING_COMMANDS].map((name): Entry => ({
    name,
    aliases: [],
    lacks: [],
    refusal: notImplemented(name),
  }));
  return [...here, ...missing];
}

function entriesOf(
  names: readonly string[],
  attempt: (name: string) => unknown,
  partly: Readonly<Record<string, readonly Lack[]>> = {},
): readonly Entry[] {
  return names.filter((name) => !Object.hasOwn(OWN, name)).map((name) => ({
    name,
    aliases: [],
    lacks: partly[name] ?? [],
    refusal: refusalOf(name, attempt),
  }));
}

/** Errors about the argument are no refusal: a name that complains of it is there. */
function refusalOf(name: string, attempt: (name: string) => unknown): CommandError | undefined {
  try {
    attempt(name);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === NOT_IMPLEMENTED || REFUSALS.has(error.codeName)) return error;
  }
  return undefined;
}

function tryStage(name: string): void {
  if (!isFirstStage(name) && name !== CHANGE_STREAM) parseStages([documentOf(name)], CONTEXT);
}

function documentOf(name: string): BuiltDocument {
  const value: Value = BuiltDocument.EMPTY;
  return new BuiltDocument([name], [value]);
}

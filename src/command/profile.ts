/** `profile`: whether and which operations of a database are written down, see profiler.ts. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Document, Int32, isNumber } from "../bson/mod.ts";
import { type Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { int64OrInt32 } from "./numbers.ts";
import type { ProfileLevel } from "./profiler.ts";

const FIELDS: FieldTable = { profile: "number", slowms: "number", sampleRate: "number", filter: "any" };
const UNSET = "unset";

export const profile: Command = {
  name: "profile",
  help:
    "profile operations: {profile: level, slowms?, sampleRate?, filter?}; -1 to see, 0 off, 1 slow, 2 all",
  run: runProfile,
};

function runProfile({ args, db, state: { profiler } }: CommandCall, reply: BsonWriter): void {
  checkFields(args, "profile", FIELDS, () => true);
  const level = args.integer("profile") ?? -1;
  const sampleRate = parseRate(args);
  const filter = parseFilterChange(args);
  const was = profiler.levelOf(db);
  const shown = {
    slowms: int64OrInt32(profiler.slowMs),
    sampleRate: profiler.sampleRate,
    filter: profiler.filterOf(db),
  };
  if (filter !== undefined) profiler.setFilter(db, filter === UNSET ? undefined : filter);
  if (isLevel(level)) profiler.setLevel(db, level);
  if (args.has("slowms")) profiler.slowMs = args.integer("slowms")!;
  if (sampleRate !== undefined) profiler.sampleRate = sampleRate;
  reply.value("was", Int32.of(was));
  for (const [name, value] of Object.entries(shown)) if (value !== undefined) reply.value(name, value);
  if (shown.filter !== undefined || filter !== undefined) reply.value("note", FILTER_NOTE);
}

const FILTER_NOTE =
  "When a filter expression is set, slowms and sampleRate are not used for profiling and slow-query log lines.";

function isLevel(level: number): level is ProfileLevel {
  return level === 0 || level === 1 || level === 2;
}

function parseRate(args: Arguments): number | undefined {
  const value = args.get("sampleRate");
  if (!isNumber(value)) return undefined;
  const rate = numberOf(value);
  if (rate >= 0 && rate <= 1) return rate;
  throw new CommandError("BadValue", "'sampleRate' must be between 0.0 and 1.0 inclusive");
}

function parseFilterChange(args: Arguments): Document | typeof UNSET | undefined {
  const filter = args.get("filter");
  if (filter === undefined || filter === UNSET || filter instanceof Document) return filter;
  throw new CommandError("BadValue", "Expected an object, or the string 'unset'.");
}

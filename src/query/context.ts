/** What a running query carries along. */
import { type Collation, Timestamp, UtcDate, type Value } from "../bson/mod.ts";
import type { Collections } from "./collections.ts";
import type { ParseContext } from "./expression/expression.ts";
import type { QueryMemory } from "./memory.ts";
import type { PlanSummary } from "./plan_summary.ts";
import type { ScanCounters } from "./source.ts";

/** The one instant that a whole query runs at. */
export interface Instant {
  /** `$$NOW`, in milliseconds since 1970. */
  readonly nowMs: number;
  /** `$$CLUSTER_TIME`; undefined where no node keeps one. */
  readonly clusterTime?: bigint | undefined;
}

/** What a command brings along. */
export interface CommandContext extends Instant {
  /** Variables of the command's `let`. */
  readonly variables: ReadonlyMap<string, Value>;
  /** Called at least every few milliseconds of work: throws when killed or out of time, else lets others run. */
  readonly checkpoint: () => Promise<void>;
  /** Whether what works for it now is a getMore. */
  readonly isContinued?: () => boolean;
  /** What the query touched so far. */
  readonly counters: ScanCounters;
  /** Told how its rows are found, before they are. */
  readonly planned?: ((summary: () => PlanSummary) => void) | undefined;
  /** Whether blocking stages may put rows aside on disk; true when undefined, as in MongoDB. */
  readonly allowDiskUse?: boolean;
  /** Whether validators are not asked of what is written. */
  readonly bypassValidation?: boolean;
  /** What collections are read at, where that is not what they hold now: known to who opens them. */
  readonly snapshot?: object | undefined;
  /** How texts compare in the stages of views; undefined for by their bytes. */
  readonly collation?: Collation;
}

export interface QueryContext extends CommandContext {
  /** What other collections there are: the router's to add. */
  readonly collections: Collections;
  /** What it may hold in memory and on disk: the router's to add. Without, only each stage's own limit counts. */
  readonly memory?: QueryMemory;
}

/** The variables that expressions of this query see: those of `let`, and those of its instant. */
export function scopeVariables(context: CommandContext): ReadonlyMap<string, Value> {
  const variables = new Map(context.variables);
  for (const [name, value] of instantVariables(context)) variables.set(name, value);
  return variables;
}

/** What stages that are no command's own know of: the instant of the command that they run for. */
export function builtIn(instant: Instant): ParseContext {
  return { variables: new Set(), constants: new Map(instantVariables(instant)) };
}

type Variables = readonly (readonly [string, Value])[];

/** Those made last: a command asks for its own more than once. */
let last: { readonly instant: Instant; readonly variables: Variables } | undefined;

function instantVariables({ nowMs, clusterTime }: Instant): Variables {
  if (last?.instant.nowMs === nowMs && last.instant.clusterTime === clusterTime) return last.variables;
  const now = ["NOW", new UtcDate(nowMs)] as const;
  const variables: Variables = clusterTime === undefined
    ? [now]
    : [now, ["CLUSTER_TIME", new Timestamp(clusterTime)]];
  last = { instant: { nowMs, clusterTime }, variables };
  return variables;
}

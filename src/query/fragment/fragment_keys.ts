/** What the kinds of groups of a fragment have in common. */
import type { Value } from "../../bson/mod.ts";
import type { Scope } from "../expression/expression.ts";
import type { GroupKeys } from "../source.ts";
import type { SortPart } from "../stage/sort_key.ts";
import type { PlacedWindow } from "../stage/window_id.ts";
import type { FragmentMemory } from "./fragment_memory.ts";
import type { MeasuredPaths, RowFields, TimeSplit } from "./time_spans.ts";

/** What the answer needs of the groups. */
export interface FragmentKeys extends GroupKeys {
  /** The `_id` of a group. */
  idOf(group: number): Value;
  /** Of windows, by number: where they stand. */
  readonly places?: readonly PlacedWindow[];
  /** The groups in the order of the answer. */
  order(): ArrayLike<number>;
  /**
   * The first groups as a sort has them; undefined where only their documents can say it.
   *
   * @param limit how many are wanted; Infinity for all
   * @param pause awaited now and then
   */
  sorted?(
    parts: readonly SortPart[],
    limit: number,
    pause: () => Promise<void>,
  ): Promise<ArrayLike<number> | undefined>;
}

/** What the keys of groups are made for. */
export interface KeyRequest {
  readonly splits: readonly TimeSplit[];
  /** The measured values that keys read, and their places in the request's `paths`. */
  readonly measured: MeasuredPaths;
  readonly places: readonly number[];
  readonly fields: RowFields;
  readonly variables: Scope["variables"];
  /** What a group takes beside its _id. */
  readonly stateBytes: number;
  readonly memory: FragmentMemory;
  readonly isInTimeOrder: boolean;
}

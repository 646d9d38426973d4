/** A parsed pipeline: its stages in order, each a readonly plain object with a `kind`. */
import type { Collation, Value } from "../bson/mod.ts";
import type { KeyBounds } from "./index_bounds.ts";
import type { ShownFields } from "./source.ts";
import type { AsofJoinStage } from "./stage/asof_join.ts";
import type { BucketAutoStage } from "./stage/bucket_auto.ts";
import type { CountStage } from "./stage/count.ts";
import type { DensifyStage } from "./stage/densify.ts";
import type { DocumentsStage } from "./stage/documents.ts";
import type { FacetStage } from "./stage/facet.ts";
import type { GraphLookupStage } from "./stage/graph_lookup.ts";
import type { GroupStage } from "./stage/group.ts";
import type { GroupEndsStage } from "./stage/group_ends.ts";
import type { LatestStage } from "./stage/latest.ts";
import type { LimitStage } from "./stage/limit.ts";
import type { LookupStage } from "./stage/lookup.ts";
import type { MatchStage } from "./stage/match.ts";
import type { MergeStage } from "./stage/merge.ts";
import type { OutStage } from "./stage/out.ts";
import type { ProjectStage } from "./stage/project.ts";
import type { RedactStage } from "./stage/redact.ts";
import type { ReplaceRootStage } from "./stage/replace_root.ts";
import type { RowWindowStage } from "./stage/row_window.ts";
import type { SampleStage } from "./stage/sample.ts";
import type { SetWindowFieldsStage } from "./stage/set_window_fields.ts";
import type { SkipStage } from "./stage/skip.ts";
import type { SortStage } from "./stage/sort.ts";
import type { SortKeyStage } from "./stage/note_sort_key.ts";
import type { TimeWindowStage } from "./stage/time_window.ts";
import type { UnionWithStage } from "./stage/union_with.ts";
import type { UnwindStage } from "./stage/unwind.ts";
import type { WindowFillStage } from "./stage/window_fill.ts";

/** One member a stage, each defined in its own file under `stage/`. */
export type Stage =
  | AsofJoinStage<Stage>
  | SetWindowFieldsStage
  | CountStage
  | DocumentsStage
  | FacetStage<Stage>
  | GroupEndsStage
  | GroupStage
  | LatestStage
  | LimitStage
  | LookupStage<Stage>
  | DensifyStage
  | OutStage
  | MergeStage
  | BucketAutoStage
  | GraphLookupStage
  | RedactStage
  | MatchStage
  | ProjectStage
  | ReplaceRootStage
  | RowWindowStage
  | SampleStage
  | SkipStage
  | SortKeyStage
  | SortStage
  | TimeWindowStage
  | UnionWithStage<Stage>
  | UnwindStage
  | WindowFillStage;

export interface Pipeline {
  /** What the client asked with: errors and `explain` differ. */
  readonly command: "find" | "aggregate" | "count" | "distinct";
  readonly stages: readonly Stage[];
  /** Whether the rows are asked for from the last stored to the first (`$natural: -1`). */
  readonly backward?: boolean;
  /** What rows are to show of themselves. */
  readonly shown?: ShownFields;
  /** The dotted path whose values a `distinct` collects. */
  readonly distinct?: string;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
  /** The index to be used, by its name or its key; `$natural` for none. */
  readonly hint?: Value;
  /** Between which keys of the hinted index rows are asked for. */
  readonly keyBounds?: KeyBounds;
}

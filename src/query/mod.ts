/** The MongoDB language: parse, plan, execute. */
export { ArraySource } from "./array_source.ts";
export {
  type CollectionKind,
  type CollectionName,
  type Collections,
  NO_COLLECTIONS,
  type OpenCollection,
  type Replacement,
  type UpdateRequest,
  type UpdateResult,
} from "./collections.ts";
export { builtIn, type CommandContext, type Instant, type QueryContext } from "./context.ts";
export { readCount } from "./count_result.ts";
export { distinctValues } from "./distinct.ts";
export { INTERNAL_DATABASES } from "./stage/out.ts";
export { countValue } from "./stage/count.ts";
export { withContext } from "./error_context.ts";
export { named } from "./executor_error.ts";
export { elementText } from "./element_text.ts";
export { checkLeavingSize } from "./too_large.ts";
export { execute } from "./execute.ts";
export { explain } from "./explain.ts";
export { collationOf, type ParseContext } from "./expression/expression.ts";
export { renderDocument, renderValue } from "./expression/message.ts";
export { compileFilter, type Matcher } from "./filter/compile.ts";
export { foreignNames } from "./foreign_names.ts";
export { type Filter } from "./filter/filter.ts";
export { parseFilter } from "./filter/parse.ts";
export { renderFilter } from "./filter/render.ts";
export {
  COUNT_FIELD,
  type CountSpec,
  type DistinctSpec,
  EMPTY_PARSE_CONTEXT,
  evaluateLet,
  type FindSpec,
  parseCountCommand,
  parseDistinct,
  parseFind,
  parsePipeline,
} from "./parse.ts";
export { wrongWithMeasuredPlaces, wrongWithPlaces } from "./geo/stored_place.ts";
export { type IndexScan, type PlaceIndex, type SourceIndex } from "./source_index.ts";
export { type Pipeline, type Stage } from "./pipeline.ts";
export { BY_ID, type PlanSummary } from "./plan_summary.ts";
export { isFirstOnly, namedStage } from "./stages.ts";
export { QueryMemory } from "./memory.ts";
export { collectRows } from "./rows.ts";
export { type SpillFile, type SpillSpace } from "./spill.ts";
export {
  EMPTY_SOURCE,
  type FragmentRequest,
  newScanCounters,
  type Rows,
  type ScanCounters,
  type ScanRequest,
  type Source,
  type SourceShape,
} from "./source.ts";
export { type Delta, DeltaBuilder } from "./update/delta.ts";
export { timestampOf } from "./update/set.ts";
export { checkUpdateForm } from "./update/update.ts";
export { WritePlan, type WriteSpec } from "./update/write_plan.ts";
export { Validator } from "./validator/validator.ts";
export { type KeyBounds, keyRangeOf } from "./index_bounds.ts";
export { NO_SEARCH_INDEXES } from "./search_service.ts";
export { onView } from "./view.ts";

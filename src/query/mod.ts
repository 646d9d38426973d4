/** The MongoDB language: parse, plan, execute. */
export {
  newScanCounters,
  type Rows,
  type ScanCounters,
  type ScanRequest,
  type Source,
  type SourceShape,
} from "./source.ts";
export { type QueryContext } from "./context.ts";
export { type Pipeline } from "./pipeline.ts";

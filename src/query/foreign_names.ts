/** Which other collections a pipeline, not yet parsed, reads. */
import { Document, isArray, type Value } from "../bson/mod.ts";

/** The names in `$lookup`, `$graphLookup` and `$unionWith`, pipelines in pipelines included. */
export function foreignNames(pipeline: readonly Value[]): readonly string[] {
  return pipeline.flatMap((stage) => {
    if (!(stage instanceof Document)) return [];
    const values = stage.values();
    return stage.names().flatMap((name, i) => namesOf(name, values[i]));
  });
}

function namesOf(stage: string, spec: Value): readonly string[] {
  switch (stage) {
    case "$graphLookup":
    case "$lookup":
      return spec instanceof Document ? [...textIn(spec, "from"), ...namesIn(spec.get("pipeline"))] : [];
    case "$unionWith":
      if (typeof spec === "string") return [spec];
      return spec instanceof Document ? [...textIn(spec, "coll"), ...namesIn(spec.get("pipeline"))] : [];
    case "$facet":
      return spec instanceof Document ? spec.values().flatMap(namesIn) : [];
    default:
      return [];
  }
}

function namesIn(pipeline: Value): readonly string[] {
  return isArray(pipeline) ? foreignNames(pipeline) : [];
}

function textIn(document: Document, name: string): readonly string[] {
  const value = document.get(name);
  return typeof value === "string" ? [value] : [];
}

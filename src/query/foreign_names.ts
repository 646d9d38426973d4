/** Which other collections a pipeline, not yet parsed, reads. */
import { Document, isArray, type Value } from "../bson/mod.ts";

/** The names in `$lookup`, `$graphLookup` and `$unionWith`, pipelines in pipelines included. */
export function foreignNames(pipeline: readonly Value[]): readonly string[] {
  const names: string[] = [];
  addNames(pipeline, names);
  return names;
}

function addNames(pipeline: Value, names: string[]): void {
  if (!isArray(pipeline)) return;
  for (const stage of pipeline) {
    if (!(stage instanceof Document)) continue;
    const values = stage.values();
    stage.names().forEach((name, i) => addNamesOf(name, values[i], names));
  }
}

function addNamesOf(stage: string, spec: Value, names: string[]): void {
  switch (stage) {
    case "$graphLookup":
    case "$lookup":
      return addNamesIn(spec, "from", names);
    case "$unionWith":
      if (typeof spec === "string") names.push(spec);
      return addNamesIn(spec, "coll", names);
    case "$facet":
      if (spec instanceof Document) spec.values().forEach((pipeline) => addNames(pipeline, names));
  }
}

function addNamesIn(spec: Value, field: string, names: string[]): void {
  if (!(spec instanceof Document)) return;
  const name = spec.get(field);
  if (typeof name === "string") names.push(name);
  addNames(spec.get("pipeline"), names);
}

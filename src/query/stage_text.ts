/** A stage as `explain` lists it: its name with its specification. */
import { BuiltDocument, Document, DocumentBuilder, Int32, type Value } from "../bson/mod.ts";
import type { Stage } from "./pipeline.ts";
import { countValue } from "./stage/count.ts";
import type { LookupStage } from "./stage/lookup.ts";
import type { MergeStage } from "./stage/merge.ts";
import type { OutStage } from "./stage/out.ts";
import type { SortStage } from "./stage/sort.ts";
import type { UnwindStage } from "./stage/unwind.ts";

/** @param db of the pipeline */
export function explainStage(stage: Stage, db: string): Document {
  switch (stage.kind) {
    case "asofJoin":
      return named("$asofJoin", stage.source);
    case "setWindowFields":
      return named("$setWindowFields", stage.source);
    case "count":
      return named("$count", stage.field);
    case "documents":
      return named("$documents", stage.source);
    case "facet":
      return named("$facet", stage.source);
    case "group":
      return named("$group", stage.source);
    case "groupEnds":
      return named(
        "$_internalGroupEnds",
        BuiltDocument.of({ sortKey: sortPattern(stage), last: stage.last }),
      );
    case "latest":
      return named("$latest", stage.source);
    case "limit":
      return named("$limit", countValue(stage.count));
    case "lookup":
      return named("$lookup", lookupText(stage));
    case "densify":
      return named("$densify", stage.source);
    case "out":
      return named("$out", targetText(stage, db));
    case "merge":
      return named("$merge", mergeText(stage, db));
    case "bucketAuto":
      return named("$bucketAuto", stage.source);
    case "graphLookup":
      return named("$graphLookup", stage.source);
    case "redact":
      return named("$redact", stage.source);
    case "match":
      return named("$match", stage.source);
    case "project":
      return named(stage.name, stage.source);
    case "replaceRoot":
      return named("$replaceRoot", BuiltDocument.of({ newRoot: stage.source }));
    case "sample":
      return named("$sample", BuiltDocument.of({ size: countValue(stage.size) }));
    case "skip":
      return named("$skip", countValue(stage.count));
    case "sort":
      return named(
        "$sort",
        BuiltDocument.of({
          sortKey: sortPattern(stage),
          limit: stage.limit === undefined ? undefined : countValue(stage.limit),
        }),
      );
    case "sortKey":
      return named("$_internalSortKey", sortPattern(stage));
    case "rowWindow":
    case "timeWindow":
      return named("$timeWindow", stage.source);
    case "unionWith":
      return named("$unionWith", stage.source);
    case "unwind":
      return named("$unwind", unwindText(stage));
    case "windowFill": {
      const { source } = stage;
      const parts = { fill: source.get("fill"), bounds: source.get("bounds") };
      return named("$_internalWindowFill", BuiltDocument.of(parts));
    }
  }
}

const RANDOM_VALUE = BuiltDocument.of({ $meta: "randVal" });

/** `{a: 1, "b.c": -1}`. */
export function sortPattern(stage: Pick<SortStage, "parts">): Document {
  return new BuiltDocument(
    stage.parts.map((part, i) => part.byChance ? `$computed${i}` : part.path.join(".")),
    stage.parts.map((part) => part.byChance ? RANDOM_VALUE : Int32.of(part.descending ? -1 : 1)),
  );
}

function named(name: string, value: Value): Document {
  return BuiltDocument.of({ [name]: value });
}

function targetText({ db, collection }: MergeStage | OutStage, own: string): Document {
  return BuiltDocument.of({ db: db ?? own, coll: collection });
}

function mergeText(stage: MergeStage, db: string): Document {
  const { on, source, whenMatched, pipeline, whenNotMatched } = stage;
  return BuiltDocument.of({
    into: targetText(stage, db),
    on: on.length === 1 ? on[0] : on,
    let: source instanceof Document ? source.get("let") : undefined,
    whenMatched: whenMatched === "pipeline" ? pipeline : whenMatched,
    whenNotMatched,
  });
}

function lookupText({ source, unwind }: LookupStage<Stage>): Document {
  if (unwind === undefined) return source;
  const unwinding = BuiltDocument.of({
    preserveNullAndEmptyArrays: unwind.preserve,
    includeArrayIndex: unwind.indexPath?.join("."),
  });
  return DocumentBuilder.from(source).set("unwinding", unwinding).build();
}

function unwindText(stage: UnwindStage): Document {
  return BuiltDocument.of({
    path: `$${stage.path.join(".")}`,
    preserveNullAndEmptyArrays: stage.preserve ? true : undefined,
    includeArrayIndex: stage.indexPath?.join("."),
  });
}

/** An update or delete statement, parsed and compiled: which documents it asks for, and what becomes of each. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  type Document,
  type RawDocument,
  type Value,
} from "../../bson/mod.ts";
import { type CommandContext, scopeVariables } from "../context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { readsSortKey } from "../expression/meta.ts";
import { compileFilter, type Matcher } from "../filter/compile.ts";
import { conjunctsOf, type Filter } from "../filter/filter.ts";
import { matchedPosition } from "../filter/matched_position.ts";
import { parseFilter } from "../filter/parse.ts";
import { planIndex, scanOf } from "../index_plan.ts";
import { checkNearIndex } from "../near_index.ts";
import type { PlaceIndex, SourceIndex } from "../source_index.ts";
import { scanConditions } from "../plan.ts";
import { idsOf } from "../pushdown.ts";
import type { ScanRequest } from "../source.ts";
import { parseFindProjection, projectDocument, type ProjectStage } from "../stage/project.ts";
import { keyOrder, sortKeyReader } from "../stage/sort_key.ts";
import { parseSortParts } from "../stage/sort.ts";
import type { Delta, DeltaBuilder } from "./delta.ts";
import { diffDocuments } from "./document_diff.ts";
import { checkUpsertFilter, documentToInsert } from "./upsert.ts";
import { compileUpdate, parseUpdate, type Update, type UpdateSpec } from "./update.ts";
import type { Updater } from "./updater.ts";

export interface WriteSpec {
  readonly filter: Document;
  /** Undefined for a delete. */
  readonly update?: UpdateSpec | undefined;
  readonly upsert?: boolean | undefined;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation | undefined;
  /** Which of the documents that match is the first. */
  readonly sort?: Document | undefined;
  /** The index that finds the documents, by its name or its key. */
  readonly hint?: Value;
  /** What is shown of the document. */
  readonly projection?: Document | undefined;
}

export class WritePlan {
  readonly filter: Filter;
  /** The only values of _id that can match. */
  readonly ids: readonly Value[] | undefined;
  readonly matches: Matcher;
  /** Negative when the first of two documents comes before the other; undefined where any order will do. */
  readonly order: ((a: Document, b: Document) => number) | undefined;
  private readonly hint: Value;
  private readonly update: Update | undefined;
  private readonly apply: Updater | undefined;
  private readonly project: (document: Document) => Document;

  /** @throws CommandError with MongoDB's code and wording */
  constructor(spec: WriteSpec, context: CommandContext) {
    const { collation } = spec;
    const variables = scopeVariables(context);
    const updated = { variables: new Set(context.variables.keys()), ...(collation && { collation }) };
    this.update = spec.update && parseUpdate(spec.update, updated);
    const scope: ParseContext = { ...updated, constants: variables };
    this.filter = parseFilter(spec.filter, scope);
    if (spec.upsert === true) checkUpsertFilter(this.filter);
    this.hint = spec.hint;
    this.ids = idsOf(conjunctsOf(this.filter));
    this.matches = compileFilter(this.filter, variables);
    this.order = spec.sort === undefined || spec.sort.isEmpty() ? undefined : documentOrder(spec.sort, scope);
    this.apply = this.update && compileUpdate(this.update, context);
    this.project = spec.projection === undefined || spec.projection.isEmpty()
      ? (document) => document
      : projectDocument(parseReturned(spec.projection, scope, this.filter), variables);
  }

  /** What a scan of a time series may be cut by. */
  scan(
    timeField: string,
    metaField: string | undefined,
  ): Pick<ScanRequest, "timeRange" | "seriesFilter" | "seriesLookup" | "seriesTests"> {
    return scanConditions(conjunctsOf(this.filter), { kind: "timeseries", timeField, metaField });
  }

  /** @throws CommandError where distances are asked for that none of the indexes tells */
  checkDistances(indexes: readonly PlaceIndex[] | undefined): void {
    checkNearIndex(conjunctsOf(this.filter), indexes);
  }

  /** How the documents are found among regular ones. @param indexes those that there are, asked for where they are needed */
  lookup(indexes: () => readonly SourceIndex[]): Pick<ScanRequest, "ids" | "index" | "union"> {
    const { ids, hint } = this;
    if (ids !== undefined && hint === undefined) return { ids };
    const access = planIndex(indexes(), { conjuncts: conjunctsOf(this.filter), sort: undefined, hint });
    return ids === undefined || access.index !== undefined ? scanOf(access) : { ids };
  }

  /**
   * What the update makes of a document that matches: the very same where nothing changes.
   *
   * @param delta for `deltaOf`
   * @throws CommandError
   */
  updated(document: Document, delta?: DeltaBuilder): Document {
    const position = () => matchedPosition(this.filter, document, "canonical");
    if (this.apply === undefined) return document;
    return this.apply(document, { inserting: false, position, ...(delta && { delta }) });
  }

  /**
   * What differs between a document and what `updated` made of it.
   *
   * @param noted what `updated` was given
   * @returns undefined where it counts as replaced
   */
  deltaOf(old: RawDocument, changed: RawDocument, noted: DeltaBuilder): Delta | undefined {
    switch (this.update?.kind) {
      case "modifiers":
        return noted.build();
      case "pipeline":
        return diffDocuments(old, changed);
      default:
        return undefined;
    }
  }

  /** What an upsert inserts where nothing matched. @throws CommandError */
  inserted(): Document {
    if (this.update === undefined || this.apply === undefined) return BuiltDocument.EMPTY;
    return documentToInsert(this.filter, this.update, this.apply);
  }

  /** A document as the statement shows it. */
  shown(document: Document): Document {
    return this.project(document);
  }
}

/** The projection of a findAndModify. */
function parseReturned(value: Document, scope: ParseContext, filter: Filter): ProjectStage {
  const project = parseFindProjection(value, scope, filter);
  if (!readsSortKey(project)) return project;
  throw new CommandError("BadValue", "Cannot use a $meta sortKey projection in findAndModify commands.");
}

function documentOrder(sort: Document, context: ParseContext): (a: Document, b: Document) => number {
  const parts = parseSortParts(sort, context);
  const read = sortKeyReader(parts);
  const order = keyOrder(parts);
  return (a, b) => order(read(a), read(b));
}

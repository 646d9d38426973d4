/** Views: pipelines that stand for collections. A view may stand on a view; what a query reads is found by following them. */
import { CommandError, MAX_VIEW_DEPTH } from "../base/mod.ts";
import { Document, isArray, type Value } from "../bson/mod.ts";
import { foreignNames } from "../query/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText, type ViewDefinition } from "./catalog.ts";
import type { StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

/** What there is under a name. */
type Lookup = (namespace: Namespace) => CollectionInfo | undefined;

/** The collection below a view, and all stages that lead from it to the view. */
export interface ResolvedView {
  readonly namespace: Namespace;
  readonly stages: readonly Document[];
}

/** What makes a collection a view; undefined for other options. */
export function viewOf(options: Document): ViewDefinition | undefined {
  const viewOn = options.get("viewOn");
  const pipeline = options.get("pipeline");
  if (typeof viewOn !== "string") return undefined;
  return { viewOn, pipeline: isArray(pipeline) ? pipeline.filter(isDocument) : [] };
}

function isDocument(value: Value): value is Document {
  return value instanceof Document;
}

/** @throws CommandError ViewDepthLimitExceeded (165) when too many views stand on one another */
export function resolveView(namespace: Namespace, lookup: Lookup): ResolvedView {
  let at = namespace;
  const pipelines: (readonly Document[])[] = [];
  for (let view = lookup(at)?.view; view !== undefined; view = lookup(at)?.view) {
    if (pipelines.length === MAX_VIEW_DEPTH) {
      throw new CommandError(
        "ViewDepthLimitExceeded",
        `View depth too deep or view cycle detected; maximum depth is ${MAX_VIEW_DEPTH}`,
      );
    }
    pipelines.unshift(view.pipeline);
    at = { db: namespace.db, collection: view.viewOn };
  }
  return { namespace: at, stages: pipelines.flat() };
}

/** @throws CommandError GraphContainsCycle (5) when a view, so defined, would stand on itself */
export function checkViewCycle(namespace: Namespace, definition: ViewDefinition, lookup: Lookup): void {
  const { db, collection } = namespace;
  const visit = (name: string, path: readonly string[]): void => {
    const here = [...path, name];
    if (path.includes(name)) {
      const names = [collection, ...here].map((each) => namespaceText({ db, collection: each }));
      throw new CommandError("GraphContainsCycle", `View cycle detected: ${names.join(" => ")}`);
    }
    const view = name === collection ? definition : lookup({ db, collection: name })?.view;
    if (view === undefined) return;
    for (const next of [view.viewOn, ...foreignNames(view.pipeline)]) visit(next, here);
  };
  visit(collection, []);
}

/** @throws CommandError CommandNotSupportedOnView (166) when it is a view: it holds nothing */
export function refuseView(info: CollectionInfo | undefined): void {
  if (info?.view !== undefined) throw viewError(info);
}

function viewError(info: CollectionInfo): CommandError {
  return new CommandError(
    "CommandNotSupportedOnView",
    `Namespace ${namespaceText(info)} is a view, not a collection`,
  );
}

/** What becomes of statements on a view: each is refused, or the first of them ends all. */
export function writeOnView(
  info: CollectionInfo,
  statements: readonly WriteStatement[],
  { ordered }: Pick<WriteOptions, "ordered">,
): readonly StatementResult[] {
  const refused = ordered ? statements.slice(0, 1) : statements;
  return refused.map(() => ({ matched: 0, modified: 0, error: viewError(info) }));
}

/** The events of entries of the catalog: collections and databases that come, change and go. */
import { BuiltDocument, Document, DocumentBuilder, equalValues, Int32, type Value } from "../../bson/mod.ts";
import type { LogRecord } from "../../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "../catalog.ts";
import { clusteredIndexOf } from "../clustered.ts";
import { indexesOf } from "../indexes.ts";
import { decodeCatalogEntry } from "../mnode.ts";
import { type ChangeEvent, EventMaker, namespaceDocument, uuidOf } from "./change_event.ts";
import { covers, coversDatabase, type Scope } from "./scope.ts";

export interface CatalogEvents {
  readonly scope: Scope;
  /** Whether events are told that MongoDB tells with showExpandedEvents only. */
  readonly isExpanded: boolean;
  /** A collection as it was once an entry of the catalog was applied. */
  readonly collectionAt: (id: number, index: number) => CollectionInfo | undefined;
  /** The collections that an entry of the catalog changed or ended, as they were before. */
  readonly endedBy: (index: number) => readonly CollectionInfo[];
}

/** The events of an entry of the catalog. */
export function catalogEvents(record: LogRecord, options: CatalogEvents): readonly ChangeEvent[] {
  const change = decodeCatalogEntry(record.kind, record.payload);
  switch (change.kind) {
    case "created":
      return created(record, change.collection, options);
    case "modified":
      return modified(record, change.collection, options);
    case "dropped":
      return dropped(record, change.id, options);
    case "databaseDropped":
      return databaseDropped(record, change.db, options);
  }
}

function created(record: LogRecord, info: CollectionInfo, options: CatalogEvents): readonly ChangeEvent[] {
  if (!options.isExpanded || !covers(options.scope, info)) return [];
  const description = DocumentBuilder.from(info.options);
  if (hasIdIndex(info)) description.append("idIndex", ID_INDEX);
  return [told("create", record, 0, info, options, { operationDescription: description.build() })];
}

function hasIdIndex(info: CollectionInfo): boolean {
  return info.view === undefined && info.timeseries === undefined && clusteredIndexOf(info) === undefined;
}

const ID_INDEX = BuiltDocument.of({
  v: Int32.of(2),
  key: BuiltDocument.of({ _id: Int32.of(1) }),
  name: "_id_",
});

function dropped(record: LogRecord, id: number, options: CatalogEvents): readonly ChangeEvent[] {
  const info = options.collectionAt(id, record.index - 1);
  if (info === undefined || !covers(options.scope, info)) return [];
  if (info.view !== undefined && !options.isExpanded) return [];
  return withEnd(record, told("drop", record, 0, info, options, {}), options.scope.kind === "collection");
}

function databaseDropped(record: LogRecord, db: string, { scope }: CatalogEvents): readonly ChangeEvent[] {
  if (!coversDatabase(scope, db)) return [];
  const namespace = namespaceDocument({ db });
  const event = new EventMaker(record).event(
    { operation: "dropDatabase", number: 0, namespace },
    undefined,
    {},
  );
  return withEnd(record, event, scope.kind === "database");
}

/** With the end of the stream behind it, where the event brings that about. */
function withEnd(record: LogRecord, event: ChangeEvent, ends: boolean): readonly ChangeEvent[] {
  return ends ? [event, new EventMaker(record).invalidate(0)] : [event];
}

function modified(record: LogRecord, info: CollectionInfo, options: CatalogEvents): readonly ChangeEvent[] {
  const old = options.collectionAt(info.id, record.index - 1);
  // It may have been dropped before the change of it was logged.
  if (old === undefined) return [];
  if (namespaceText(old) !== namespaceText(info)) return renamed(record, old, info, options);
  if (!options.isExpanded || !covers(options.scope, info)) return [];
  const events: ChangeEvent[] = [];
  const tell = (operation: string, others: Readonly<Record<string, Value>>) =>
    events.push(told(operation, record, events.length, info, options, others));
  const { added, removed, changed } = differentIndexes(old, info);
  if (added.length > 0) tell("createIndexes", { operationDescription: BuiltDocument.of({ indexes: added }) });
  if (removed.length > 0) {
    tell("dropIndexes", { operationDescription: BuiltDocument.of({ indexes: removed }) });
  }
  for (const { before, after } of changed) tell("modify", changedIndex(old, before, after));
  const changedOptions = differentOptions(old, info);
  // A collMod that changes nothing is told all the same.
  if (!changedOptions.isEmpty() || events.length === 0) {
    tell("modify", { operationDescription: changedOptions, stateBeforeChange: stateOf(old) });
  }
  return events;
}

function renamed(
  record: LogRecord,
  old: CollectionInfo,
  info: CollectionInfo,
  options: CatalogEvents,
): readonly ChangeEvent[] {
  const { scope, isExpanded } = options;
  if (!covers(scope, old) && !covers(scope, info)) return [];
  const to = namespaceDocument(info);
  const replaced = options.endedBy(record.index).find(({ id }) => id !== info.id);
  const description = BuiltDocument.of({ to, dropTarget: replaced?.uuid });
  const others = isExpanded ? { operationDescription: description } : {};
  const event = told("rename", record, 0, old, options, others, { to });
  return withEnd(record, event, scope.kind === "collection");
}

function told(
  operation: string,
  record: LogRecord,
  number: number,
  info: CollectionInfo,
  { isExpanded }: CatalogEvents,
  others: Readonly<Record<string, Value>>,
  first: Readonly<Record<string, Value>> = {},
): ChangeEvent {
  const namespace = namespaceDocument(info);
  const uuid = isExpanded ? uuidOf(info) : undefined;
  return new EventMaker(record).event({ operation, number, namespace, uuid }, undefined, others, first);
}

interface IndexDifference {
  readonly added: readonly Document[];
  readonly removed: readonly Document[];
  readonly changed: readonly { readonly before: Document; readonly after: Document }[];
}

function differentIndexes(old: CollectionInfo, info: CollectionInfo): IndexDifference {
  const before = new Map(indexesOf(old).map((index) => [index.get("name"), index]));
  const after = new Map(indexesOf(info).map((index) => [index.get("name"), index]));
  return {
    added: [...after].filter(([name]) => !before.has(name)).map(([, index]) => index),
    removed: [...before].filter(([name]) => !after.has(name)).map(([, index]) => index),
    changed: [...after].flatMap(([name, index]) => {
      const was = before.get(name);
      return was === undefined || equalValues(was, index) ? [] : [{ before: was, after: index }];
    }),
  };
}

/** Options of an index that collMod changes. */
const INDEX_OPTIONS = ["hidden", "expireAfterSeconds", "unique", "prepareUnique"] as const;
const INDEX_DEFAULTS: Readonly<Record<string, Value>> = {
  hidden: false,
  unique: false,
  prepareUnique: false,
};

function changedIndex(
  old: CollectionInfo,
  before: Document,
  after: Document,
): Readonly<Record<string, Value>> {
  const now = new DocumentBuilder().append("name", after.get("name"));
  const was = new DocumentBuilder();
  for (const option of INDEX_OPTIONS) {
    const [from, to] = [before, after].map((index) => index.get(option) ?? INDEX_DEFAULTS[option]);
    if (from === to || (from !== undefined && to !== undefined && equalValues(from, to))) continue;
    now.append(option, to);
    was.append(option, from);
  }
  return {
    operationDescription: BuiltDocument.of({ index: now.build() }),
    stateBeforeChange: DocumentBuilder.from(stateOf(old)).append("indexOptions", was.build()).build(),
  };
}

function stateOf(info: CollectionInfo): Document {
  const collectionOptions = new DocumentBuilder().append("uuid", uuidOf(info));
  const values = info.options.values();
  info.options.names().forEach((name, i) => collectionOptions.append(name, values[i]));
  return BuiltDocument.of({ collectionOptions: collectionOptions.build() });
}

/** The options that are other ones now. */
function differentOptions(old: CollectionInfo, info: CollectionInfo): Document {
  const different = new DocumentBuilder();
  const values = info.options.values();
  info.options.names().forEach((name, i) => {
    const was = old.options.get(name);
    if (was === undefined || !equalValues(was, values[i])) different.append(name, values[i]);
  });
  return different.build();
}

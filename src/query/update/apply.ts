/** Applies a tree of modifiers to a document: a new document, in which what the tree does not touch is the very same. */
import { CommandError, MAX_ARRAY_BACKFILL } from "../../base/mod.ts";
import { BuiltDocument, Document, DocumentBuilder, isArray, type Value } from "../../bson/mod.ts";
import { DeltaBuilder } from "./delta.ts";
import { elementText } from "../element_text.ts";
import { arrayPlace } from "./path.ts";
import { dollarPrefixed } from "./replacement.ts";
import { childrenAt, type ElementsNode, type FieldsNode, mergeNodes, type UpdateNode } from "./tree.ts";

/** What applying needs beside the tree and the document. */
export interface ApplyOptions {
  readonly nowMs: number;
  /** Whether the document is about to be inserted by an upsert. */
  readonly inserting: boolean;
  /** The place in the array that the filter met, for `$`; undefined where it met none. */
  readonly position: () => number | undefined;
  readonly arrayFilters: ReadonlyMap<string, (element: Value) => boolean>;
  /** Gets what changes. */
  readonly delta?: DeltaBuilder | undefined;
}

interface Application extends ApplyOptions {
  readonly root: Document;
  /** What has been made so far of each value on the path to the field that is worked on, the outermost first. */
  readonly holders: (() => Value)[];
  /** The first operation that changed something below the field of the root that is worked on. */
  change: { readonly path: readonly string[]; readonly existed: boolean } | undefined;
  /** Whether an operation counts as a change although the value is the same. */
  touched: boolean;
  /** Whether the last operation counts as a change although the value is the same. */
  touchedLast: boolean;
  /** Whether the last operation only added elements to the end of its array. */
  appended: boolean;
  readonly noteAppended: () => void;
  /** Whether what `$[]` and `$[id]` changed last is more than one element: then the array is noted, not they. */
  changedMany: boolean;
  /** Where what changes is noted; undefined within a field that is made, which is noted as a whole. */
  notes: DeltaBuilder | undefined;
}

const ID = "_id";

/**
 * @returns the very same document when nothing changes
 * @throws CommandError, of which the document is as it was
 */
export function applyTree(tree: FieldsNode, root: Document, options: ApplyOptions): Document {
  const application: Application = {
    ...options,
    root,
    holders: [],
    change: undefined,
    touched: false,
    touchedLast: false,
    appended: false,
    noteAppended: () => application.appended = true,
    changedMany: false,
    notes: options.delta,
  };
  const result = applyToDocument(tree, root, [], application);
  return result === root && application.touched ? DocumentBuilder.from(root).build() : result;
}

function applyNode(
  node: UpdateNode,
  value: Value,
  path: readonly string[],
  application: Application,
): Value {
  switch (node.kind) {
    case "leaf":
      return applyLeaf(node.operation, value, path, application);
    case "elements":
      return applyToElements(node, value, path, application);
    case "fields":
      if (value === undefined) return createDocument(node, path, application);
      if (value instanceof Document) return applyToDocument(node, value, path, application);
      if (isArray(value)) return applyToArray(node, value, path, application);
      application.holders.push(() => value);
      for (const [name, child] of childrenOf(node, path, application)) {
        checkNotCreated(child, name, value, path, application);
      }
      application.holders.pop();
      return value;
  }
}

function applyLeaf(
  operation: Extract<UpdateNode, { kind: "leaf" }>["operation"],
  value: Value,
  path: readonly string[],
  application: Application,
): Value {
  const { root, inserting, nowMs } = application;
  const changed = () => application.change ??= { path, existed: value !== undefined };
  const touch = () => {
    application.touched = application.touchedLast = true;
    changed();
  };
  application.appended = application.touchedLast = false;
  const { noteAppended } = application;
  const madeSoFar = () => documentSoFar(application, path);
  const place = {
    name: path.at(-1)!,
    path,
    root,
    madeSoFar,
    inserting,
    nowMs,
    touch,
    appended: noteAppended,
  };
  const result = operation(value, place);
  if (!Object.is(result, value)) changed();
  return result;
}

function documentSoFar({ holders, root }: Application, path: readonly string[]): Document {
  let value: Value;
  for (let depth = holders.length - 1; depth >= 0; depth--) {
    value = withChild(holders[depth]!(), path[depth]!, value);
  }
  return value instanceof Document ? value : root;
}

/** The value with a new child, if it can have that and there is one. */
function withChild(holder: Value, name: string, child: Value): Value {
  if (child === undefined) return holder;
  if (holder instanceof Document) return DocumentBuilder.from(holder).set(name, child).build();
  const place = isArray(holder) ? arrayPlace(name) : undefined;
  return isArray(holder) && place !== undefined && place < holder.length ? holder.with(place, child) : holder;
}

function applyToDocument(
  node: FieldsNode,
  document: Document,
  path: readonly string[],
  application: Application,
): Document {
  let builder: DocumentBuilder | undefined;
  application.holders.push(() => {
    if (builder === undefined) return document;
    const made = builder.build();
    builder = DocumentBuilder.from(made);
    return made;
  });
  for (const [name, child] of childrenOf(node, path, application)) {
    const old = document.get(name);
    const guarded = path.length === 0 && name === ID && old !== undefined;
    if (guarded) application.change = undefined;
    const place = [...path, name];
    const value = applyNode(child, old, place, application);
    if (guarded && application.change !== undefined) throw immutableId(application, value);
    const isTouched = child.kind === "leaf" && application.touchedLast;
    if (!Object.is(value, old) || isTouched) noteField(child, old, value, place, application);
    if (Object.is(value, old)) continue;
    if (path.length === 0 && old === undefined && name.startsWith("$")) throw dollarPrefixed(name);
    builder ??= DocumentBuilder.from(document);
    builder.set(name, value);
  }
  application.holders.pop();
  return builder?.build() ?? document;
}

/** Notes that a field of a document has changed, unless what changed inside of it is noted already. */
function noteField(
  node: UpdateNode,
  old: Value,
  value: Value,
  path: readonly string[],
  application: Application,
): void {
  const { notes, appended } = application;
  if (old === undefined) notes?.note("insert", path);
  else if (value === undefined) notes?.note("remove", path);
  else if (node.kind === "leaf" && appended) noteElements(notes, old, value, path);
  else if (isWhole(node, application)) notes?.note("update", path);
}

/** Whether the value at a node is noted, since nothing inside of it is. */
function isWhole(node: UpdateNode, { changedMany }: Application): boolean {
  return node.kind === "leaf" || (node.kind === "elements" && changedMany);
}

/** As `noteField`, for an element of an array. */
function noteElement(
  node: UpdateNode,
  old: Value,
  value: Value,
  path: readonly string[],
  application: Application,
): void {
  const { notes, appended } = application;
  if (node.kind === "leaf" && appended && old !== undefined) noteElements(notes, old, value, path);
  else if (old === undefined || isWhole(node, application)) notes?.note("element", path);
}

function noteElements(
  notes: DeltaBuilder | undefined,
  old: Value,
  value: Value,
  path: readonly string[],
): void {
  if (notes === undefined || !isArray(old) || !isArray(value)) return;
  for (let i = old.length; i < value.length; i++) notes.note("element", [...path, String(i)]);
}

function createDocument(node: FieldsNode, path: readonly string[], application: Application): Value {
  const { notes } = application;
  application.notes = undefined;
  const made = applyToDocument(node, BuiltDocument.EMPTY, path, application);
  application.notes = notes;
  return made === BuiltDocument.EMPTY ? undefined : made;
}

function applyToArray(
  node: FieldsNode,
  array: readonly Value[],
  path: readonly string[],
  application: Application,
): Value {
  let changed: Value[] | undefined;
  application.holders.push(() => changed ?? array);
  for (const [name, child] of childrenOf(node, path, application)) {
    const place = arrayPlace(name);
    if (place === undefined) {
      checkNotCreated(child, name, changed ?? array, path, application);
      continue;
    }
    const old = array[place];
    const inside = [...path, name];
    const value = applyNode(child, old, inside, application);
    if (Object.is(value, old)) continue;
    noteElement(child, old, value, inside, application);
    changed ??= [...array];
    if (place > changed.length + MAX_ARRAY_BACKFILL) {
      throw new CommandError(
        "CannotBackfillArray",
        `can't backfill more than ${MAX_ARRAY_BACKFILL} elements`,
      );
    }
    while (changed.length < place) changed.push(null);
    // A hole would move the elements behind it.
    changed[place] = value === undefined ? null : value;
  }
  application.holders.pop();
  return changed ?? array;
}

function applyToElements(
  node: ElementsNode,
  value: Value,
  path: readonly string[],
  application: Application,
): Value {
  if (value === undefined) {
    throw new CommandError(
      "BadValue",
      `The path '${path.join(".")}' must exist in the document in order to apply array updates.`,
    );
  }
  if (!isArray(value)) {
    throw new CommandError(
      "BadValue",
      `Cannot apply array updates to non-array element ${elementText(path.at(-1)!, value)}`,
    );
  }
  const { notes } = application;
  application.notes = notes && new DeltaBuilder();
  let changed: Value[] | undefined;
  let count = 0;
  application.holders.push(() => changed ?? value);
  value.forEach((old, i) => {
    const place = [...path, String(i)];
    const child = childFor(node, old, place, application);
    if (child === undefined) return;
    const result = applyNode(child, old, place, application);
    if (Object.is(result, old)) return;
    noteElement(child, old, result, place, application);
    count++;
    changed ??= [...value];
    changed[i] = result === undefined ? null : result;
  });
  application.holders.pop();
  if (count === 1 && application.notes !== undefined) notes?.add(application.notes);
  application.notes = notes;
  application.changedMany = count > 1;
  return changed ?? value;
}

/** What happens to an element: all that is said for it by the filters that it passes. */
function childFor(
  node: ElementsNode,
  element: Value,
  place: readonly string[],
  { arrayFilters }: Application,
): UpdateNode | undefined {
  let merged: UpdateNode | undefined;
  for (const [identifier, child] of node.children) {
    if (identifier !== "" && arrayFilters.get(identifier)?.(element) !== true) continue;
    merged = merged === undefined ? child : mergeNodes(merged, child, place);
  }
  return merged;
}

function childrenOf(
  node: FieldsNode,
  path: readonly string[],
  application: Application,
): ReadonlyMap<string, UpdateNode> {
  if (node.positional === undefined) return node.children;
  const position = application.position();
  if (position === undefined) {
    throw new CommandError(
      "BadValue",
      "The positional operator did not find the match needed from the query.",
    );
  }
  return childrenAt(node, String(position), path);
}

/** @throws CommandError PathNotViable when a field would have to be made in what is no document */
function checkNotCreated(
  child: UpdateNode,
  name: string,
  holder: Value,
  path: readonly string[],
  application: Application,
): void {
  const made = applyNode(child, undefined, [...path, name], application);
  if (made === undefined) {
    const strict = strictPath(child, [...path, name]);
    if (strict === undefined) return;
    throw new CommandError(
      "PathNotViable",
      `Cannot use the part (${name}) of (${strict.join(".")}) to traverse the element ` +
        `({${elementText(path.at(-1)!, holder)}})`,
    );
  }
  throw new CommandError(
    "PathNotViable",
    `Cannot create field '${name}' in element {${elementText(path.at(-1)!, holder)}}`,
  );
}

/** The path of the first operation below a node that wants its path to exist. */
function strictPath(node: UpdateNode, path: readonly string[]): readonly string[] | undefined {
  if (node.kind === "leaf") return node.isStrict ? path : undefined;
  for (const [name, child] of node.children) {
    const found = strictPath(child, [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function immutableId({ change }: Application, value: Value): CommandError {
  const path = change?.path ?? [ID];
  if (change?.existed === false && path.length > 1) {
    return new CommandError(
      "ImmutableField",
      `Updating the path '${ID}' to ${elementText(ID, value)} would modify the immutable field '${ID}'`,
    );
  }
  return new CommandError(
    "ImmutableField",
    `Performing an update on the path '${path.join(".")}' would modify the immutable field '${ID}'`,
  );
}

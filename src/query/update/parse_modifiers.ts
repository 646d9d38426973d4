/** From `{$set: {…}, $inc: {…}}` to one tree of operations. */
import { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { compileFilter } from "../filter/compile.ts";
import { parseFilter } from "../filter/parse.ts";
import { type ArrayFilters, checkAllUsed } from "./array_filters.ts";
import { MODIFIERS, RENAME, STRICT_MODIFIERS } from "./modifiers.ts";
import type { Operation, OperationContext } from "./operation.ts";
import { arrayIdentifier, checkPath, checkPositions } from "./path.ts";
import { parseRename, sourceOfRename } from "./rename.ts";
import { UNSET } from "./set.ts";
import { EMPTY_TREE, type FieldsNode, mergeNodes, nodeOf } from "./tree.ts";

export interface ModifierUpdate {
  readonly kind: "modifiers";
  readonly tree: FieldsNode;
  /** Takes away what `$rename` moved, after all else: until then errors show it where it was. */
  readonly removals: FieldsNode;
  readonly arrayFilters: ArrayFilters;
}

/** @throws CommandError with MongoDB's code and wording */
export function parseModifiers(
  update: Document,
  arrayFilters: ArrayFilters,
  context: ParseContext,
): ModifierUpdate {
  const parser = new ModifierParser(arrayFilters, context);
  const values = update.values();
  update.names().forEach((name, i) => parser.add(name, values[i]));
  checkAllUsed(arrayFilters, parser.usedFilters, update);
  const { tree, removals } = parser;
  return { kind: "modifiers", tree, removals, arrayFilters };
}

class ModifierParser {
  tree: FieldsNode = EMPTY_TREE;
  removals: FieldsNode = EMPTY_TREE;
  readonly usedFilters = new Set<string>();
  private readonly context: OperationContext;

  constructor(private readonly arrayFilters: ArrayFilters, context: ParseContext) {
    this.context = {
      compileFilter: (filter) => compileFilter(parseFilter(filter, context)),
      ...collationOf(context),
    };
  }

  add(name: string, fields: Value): void {
    const parse = Object.hasOwn(MODIFIERS, name) ? MODIFIERS[name] : undefined;
    if (parse === undefined && name !== RENAME) {
      throw new CommandError(
        "FailedToParse",
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!(fields instanceof Document)) {
      throw new CommandError(
        "FailedToParse",
        `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: ` +
          `{$mod: {<field>: ...}} not {${name}: ${shownArgument(name, fields)}}`,
      );
    }
    const values = fields.values();
    fields.names().forEach((path, i) => {
      if (parse === undefined) return this.addRenaming(path, values[i]);
      const parts = checkPath(path);
      checkPositions(parts);
      this.addOperation(parts, parse(path, values[i], this.context), STRICT_MODIFIERS.has(name));
    });
  }

  private addRenaming(name: string, value: Value): void {
    const from = sourceOfRename(name, value);
    // It stands in the tree for what is in conflict with it.
    this.addOperation(from, (old) => old);
    this.removals = mergeNodes(this.removals, nodeOf(from, UNSET, false), [], name) as FieldsNode;
    const { to, target } = parseRename(name, value);
    this.addOperation(to, target);
  }

  private addOperation(parts: readonly string[], operation: Operation, isStrict = false): void {
    const path = parts.join(".");
    for (const part of parts) this.useFilter(part, path);
    this.tree = mergeNodes(this.tree, nodeOf(parts, operation, isStrict), [], path) as FieldsNode;
  }

  private useFilter(part: string, path: string): void {
    const identifier = arrayIdentifier(part);
    if (identifier === undefined || identifier === "") return;
    if (!this.arrayFilters.has(identifier)) {
      throw new CommandError(
        "BadValue",
        `No array filter found for identifier '${identifier}' in path '${path}'`,
      );
    }
    this.usedFilters.add(identifier);
  }
}

function shownArgument(name: string, value: Value): string {
  return elementText(name, value).slice(name.length + 2);
}

/**
 * The update language, pure: parsed once, applied to many documents.
 *
 *     parseUpdate({ $inc: { a: 1 } }) → Update → compileUpdate → (document) => document
 *
 * An update is one of three: modifiers (`{$set: …}`), a document that replaces (`{a: 1}`), or a pipeline (`[{$set: …}]`).
 */
import { assert, CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { type CommandContext, scopeVariables } from "../context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { namedStage } from "../stages.ts";
import { applyTree } from "./apply.ts";
import { compileArrayFilters, parseArrayFilters } from "./array_filters.ts";
import { type ModifierUpdate, parseModifiers } from "./parse_modifiers.ts";
import { compileUpdatePipeline, parseUpdatePipeline, type PipelineUpdate } from "./pipeline.ts";
import { parseReplacement, replace, type Replacement } from "./replacement.ts";
import type { Updater } from "./updater.ts";

export type Update = ModifierUpdate | Replacement | PipelineUpdate;

/** An update as a command holds it. */
export interface UpdateSpec {
  /** A document or an array of stages. */
  readonly update: Value;
  readonly arrayFilters?: readonly Document[] | undefined;
  /** Variables of a pipeline, `c` of an update statement. */
  readonly constants?: Document | undefined;
  /** Whether all documents that match are updated. */
  readonly multi?: boolean;
}

/**
 * Looks at the form of an update, which is wrong with the whole command, not with one statement.
 *
 * @throws CommandError FailedToParse when it is neither a document nor an array; of stages that are none
 */
export function checkUpdateForm(update: Value): void {
  if (isArray(update)) update.forEach(namedStage);
  else if (!(update instanceof Document)) {
    throw new CommandError("FailedToParse", "Update argument must be either an object or an array");
  }
}

/**
 * Parses an update.
 *
 * @param context the variables of the command's `let`
 * @throws CommandError with MongoDB's code and wording
 */
export function parseUpdate(spec: UpdateSpec, context: ParseContext): Update {
  const { update, arrayFilters, constants, multi } = spec;
  if (isArray(update)) {
    if (arrayFilters !== undefined && arrayFilters.length > 0) {
      throw new CommandError("FailedToParse", "arrayFilters may not be specified for pipeline-style updates");
    }
    return parseUpdatePipeline(update, constants, context);
  }
  if (constants !== undefined) {
    throw new CommandError(
      51198,
      "Constant values may only be specified for pipeline updates",
    );
  }
  assert(update instanceof Document, "an update is a document or an array");
  if (update.names()[0]?.startsWith("$")) {
    return parseModifiers(update, parseArrayFilters(arrayFilters ?? [], context), context);
  }
  if (multi === true) {
    throw new CommandError(
      "FailedToParse",
      "multi update is not supported for replacement-style update",
    );
  }
  return parseReplacement(update);
}

/** The update as a function, which gives the very same document where nothing changes. */
export function compileUpdate(update: Update, context: CommandContext): Updater {
  switch (update.kind) {
    case "modifiers": {
      const arrayFilters = compileArrayFilters(update.arrayFilters);
      const { nowMs } = context;
      return (document, target) => {
        const options = { ...target, nowMs, arrayFilters };
        return applyTree(update.removals, applyTree(update.tree, document, options), options);
      };
    }
    case "replacement":
      return (document) => replace(update, document, context.nowMs);
    case "pipeline":
      return compileUpdatePipeline(update, scopeVariables(context));
  }
}

/**
 * The projection of find and of `$project`, from BSON to its tree. The first field that is not `_id` decides whether
 * fields are included or excluded; `_id` is included unless told otherwise. Only find has `$elemMatch`, and `$slice` over a
 * path and `.$`, which work on the projected document.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import type { ParseContext } from "../expression/expression.ts";
import { REFERENCE_FIELDS } from "../expression/field_path.ts";
import { renderDocument, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { isTrue, toDouble } from "../filter/argument.ts";
import {
  type ElemMatchObjectFilter,
  type ElemMatchValueFilter,
  type Filter,
  MATCH_ALL,
} from "../filter/filter.ts";
import { parseFilter } from "../filter/parse.ts";
import { withContext } from "../error_context.ts";
import { type ArrayProjection, checkPositionalFilter } from "./array_projection.ts";
import type { FieldProjection, Projection } from "./projection.ts";
import { ProjectionTree } from "./tree.ts";

/** A projection and, from find, what is done to arrays of its result. */
export interface ParsedProjection extends Projection {
  readonly arrays: readonly ArrayProjection[];
}

/**
 * Parses the projection of `$project`, or of find when `isFind` is set.
 *
 * @param filter the find's own, whose matches `.$` picks
 * @throws CommandError with MongoDB's code and wording, without a context in front
 */
export function parseProjection(
  document: Document,
  context: ParseContext,
  isFind: boolean,
  filter: Filter = MATCH_ALL,
): ParsedProjection {
  if (document.isEmpty()) {
    throw new CommandError(51272, "projection specification must have at least one field");
  }
  const parser = new ProjectionParser(context, isFind, filter);
  parser.parse(document);
  return parser.finish();
}

/** Where fields are written: the tree that they grow, and the path that leads there, with its dot. */
interface Parent {
  readonly tree: ProjectionTree;
  readonly prefix: string;
}

/** One field as written: its name may be a path. */
interface Field extends Parent {
  readonly name: string;
}

class ProjectionParser {
  private readonly tree = new ProjectionTree();
  private readonly arrays: ArrayProjection[] = [];
  private hasElemMatch = false;
  private mode: "inclusion" | "exclusion" | undefined;
  /** What was said of `_id`, while that does not decide the mode. */
  private id: boolean | undefined;

  constructor(
    private readonly context: ParseContext,
    private readonly isFind: boolean,
    private readonly filter: Filter,
  ) {}

  parse(document: Document): void {
    this.fields(document, { tree: this.tree, prefix: "" });
  }

  private fields(document: Document, parent: Parent): void {
    const values = document.values();
    document.names().forEach((name, i) => this.field({ ...parent, name }, values[i]));
  }

  finish(): ParsedProjection {
    const mode = this.mode ?? this.undecidedMode();
    if (mode === "inclusion" && this.id !== false && !this.tree.root.has("_id")) {
      this.tree.addFirst("_id", { kind: "named" });
    }
    if (mode === "exclusion" && this.id === false) this.tree.addFirst("_id", { kind: "named" });
    // A slice is cut from its field where that stands: included by name, or kept by not being excluded.
    if (mode === "exclusion") this.arrays.forEach(({ path }) => this.tree.remove(path));
    return { mode, root: this.tree.node, arrays: this.arrays };
  }

  private undecidedMode(): "inclusion" | "exclusion" {
    if (this.id === true) return "inclusion";
    return this.hasElemMatch && this.arrays.length === 0 ? "inclusion" : "exclusion";
  }

  private field(field: Field, value: Value): void {
    if (this.isPositional(field.name)) return this.positional(field, value);
    if (value instanceof Document) return this.documentField(field, value);
    if (isNumber(value) || typeof value === "boolean") return this.flag(field, isTrue(value));
    this.computed(field, value);
  }

  private flag({ tree, prefix, name }: Field, included: boolean): void {
    if (prefix === "" && name === "_id") {
      this.id = included;
      return;
    }
    if (included) this.include(name);
    else this.exclude(name);
    tree.add(name, { kind: "named" });
  }

  private include(name: string): void {
    if (this.mode === "exclusion") {
      throw new CommandError(31253, `Cannot do inclusion on field ${name} in exclusion projection`);
    }
    this.mode = "inclusion";
  }

  private exclude(name: string): void {
    if (this.mode === "inclusion") {
      throw new CommandError(31254, `Cannot do exclusion on field ${name} in inclusion projection`);
    }
    this.mode = "exclusion";
  }

  private documentField(field: Field, value: Document): void {
    const names = value.names();
    if (names.length === 0) {
      throw new CommandError(
        51270,
        "An empty sub-projection is not a valid value. Found empty object at path",
      );
    }
    if (names.length > 1 || !names[0]!.startsWith("$") || REFERENCE_FIELDS.has(names[0]!)) {
      return this.fields(value, {
        tree: field.tree.below(field.name),
        prefix: `${field.prefix}${field.name}.`,
      });
    }
    if (this.isFind && this.arrayProjection(field, names[0]!, value)) return;
    if (names[0] === "$elemMatch") {
      throw new CommandError("InvalidPipelineOperator", "Cannot use $elemMatch in this context");
    }
    this.computed(field, value);
  }

  private computed({ tree, name }: Field, value: Value): void {
    const operator = value instanceof Document ? value.names()[0] : undefined;
    // Find keeps the other fields beside metadata, and what leaves fields out may add some.
    if (operator === "$meta" && (this.isFind || this.mode === "exclusion")) {
      return this.addComputed(tree, name, value);
    }
    if (this.mode === "exclusion") {
      if (operator?.startsWith("$")) {
        throw new CommandError(31252, "Cannot use expression other than $meta in exclusion projection");
      }
      throw new CommandError(
        31310,
        `Cannot use an expression ${elementText(name, value)} in an exclusion projection`,
      );
    }
    this.mode = "inclusion";
    try {
      this.addComputed(tree, name, value);
    } catch (error) {
      if (error instanceof CommandError && error.message === `Unrecognized expression '${operator}'`) {
        throw new CommandError(31325, `Unknown expression ${operator}`);
      }
      throw error;
    }
  }

  private addComputed(tree: ProjectionTree, name: string, value: Value): void {
    tree.add(name, { kind: "computed", expression: parseExpression(value, this.context) });
  }

  /** `$slice` and `$elemMatch` of find. @returns whether it was one of them */
  private arrayProjection(field: Field, operator: string, value: Document): boolean {
    const argument = value.values()[0];
    if (operator === "$elemMatch") {
      this.checkBesideElemMatch(31255, this.hasPositional);
      field.tree.add(field.name, parseElemMatch(field.prefix + field.name, argument, this.context));
      this.hasElemMatch = true;
      return true;
    }
    if (operator !== "$slice") return false;
    const slice = this.addSlice(field, argument);
    if (slice === undefined) return true;
    try {
      if (this.mode === "exclusion") {
        throw new CommandError(31252, "Cannot use expression other than $meta in exclusion projection");
      }
      this.computed(field, value);
      return true;
    } catch (error) {
      throw withContext(
        `Invalid $slice syntax. The given syntax ${renderDocument(value)} did not match the find() syntax ` +
          `because :: ${slice} :: The given syntax did not match the expression $slice syntax.`,
        error,
      );
    }
  }

  /** @returns undefined, or why it is none of find's slices, in MongoDB's words */
  private addSlice({ tree, prefix, name }: Field, argument: Value): string | undefined {
    const slice = parseSlice(prefix + name, argument);
    if (typeof slice === "string") return slice;
    try {
      tree.add(name, { kind: "named" });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return `Location${error.code}: ${error.message}`;
    }
    this.arrays.push(slice);
    return undefined;
  }

  /** `a.$` of find. */
  private positional(field: Field, value: Value): void {
    if (value instanceof Document) {
      throw new CommandError(
        31271,
        "positional projection cannot be used with an expression or sub object",
      );
    }
    if (!isNumber(value) && typeof value !== "boolean") {
      throw new CommandError(31308, "positional projection cannot be used with a literal");
    }
    if (!isTrue(value)) {
      throw new CommandError(31395, "positional projection cannot be used with exclusion");
    }
    if (this.hasPositional) {
      throw new CommandError(31276, "Cannot specify more than one positional projection per query.");
    }
    this.checkBesideElemMatch(31256, this.hasElemMatch);
    checkPositionalFilter(this.filter);
    const { tree, prefix, name } = field;
    this.include(name);
    const path = name.slice(0, -2);
    tree.add(path, { kind: "named" });
    this.arrays.push({ kind: "positional", path: (prefix + path).split("."), filter: this.filter });
  }

  private get hasPositional(): boolean {
    return this.arrays.some(({ kind }) => kind === "positional");
  }

  private checkBesideElemMatch(code: number, hasOther: boolean): void {
    if (hasOther) throw new CommandError(code, "Cannot specify positional operator and $elemMatch.");
  }

  /** Whether a name is that of a positional projection. @throws CommandError where there can be none */
  private isPositional(path: string): boolean {
    if (path.endsWith(".$")) {
      if (this.isFind) return true;
      throw new CommandError(31324, "Cannot use positional projection in aggregation projection");
    }
    if (this.isFind && path.includes(".$.")) {
      throw new CommandError(
        31394,
        "As of 4.4, it's illegal to specify positional operator in the middle of a path." +
          "Positional projection may only be used at the end, for example: a.b.$. If the query previously " +
          "used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.",
      );
    }
    return false;
  }
}

function parseElemMatch(path: string, argument: Value, context: ParseContext): FieldProjection {
  if (!(argument instanceof Document)) {
    throw new CommandError(
      31274,
      `elemMatch: Invalid argument, object required, but got ${typeName(argument)}`,
    );
  }
  if (path.includes(".")) {
    throw new CommandError(31275, "Cannot use $elemMatch projection on a nested field.");
  }
  const query = BuiltDocument.of({ [path]: BuiltDocument.of({ $elemMatch: argument }) });
  const filter = parseFilter(query, context) as ElemMatchObjectFilter | ElemMatchValueFilter;
  return { kind: "elemMatch", name: path, filter };
}

/** @returns the slice, or why it is none of find's, in MongoDB's words */
function parseSlice(path: string, argument: Value): ArrayProjection | string {
  const steps = path.split(".");
  if (isNumber(argument)) {
    const count = Math.trunc(toDouble(argument));
    return count < 0
      ? { kind: "slice", path: steps, skip: count, limit: -count }
      : { kind: "slice", path: steps, skip: 0, limit: count };
  }
  if (!isArray(argument)) {
    return "Location31273: $slice only supports numbers and [skip, limit] arrays";
  }
  const [skip, limit] = argument;
  if (argument.length !== 2) return "Location31272: $slice array argument should be of form [skip, limit]";
  if (!isNumber(skip) || !isNumber(limit) || toDouble(limit) < 1) {
    return "Location31257: $slice limit must be positive";
  }
  return { kind: "slice", path: steps, skip: Math.trunc(toDouble(skip)), limit: Math.trunc(toDouble(limit)) };
}

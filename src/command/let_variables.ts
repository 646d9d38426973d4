/** The `let` argument: constants that a query's expressions name as `$$name`. */
import type { Collation, Value } from "../bson/mod.ts";
import { builtIn, evaluateLet, type Instant, type ParseContext } from "../query/mod.ts";
import type { Arguments } from "./arguments.ts";

export interface LetVariables {
  readonly values: ReadonlyMap<string, Value>;
  /** What the parser must know of them. */
  readonly context: ParseContext;
}

/**
 * @param instant when the command started
 * @param collation how texts compare in the query; undefined for by their bytes
 * @throws CommandError when one of them is no constant
 */
export function letVariables(args: Arguments, instant: Instant, collation?: Collation): LetVariables {
  const alone = { ...builtIn(instant), ...(collation === undefined ? {} : { collation }) };
  const document = args.document("let");
  if (document === undefined) return { values: new Map(), context: alone };
  const values = evaluateLet(document, alone);
  const constants = new Map([...alone.constants ?? [], ...values]);
  return { values, context: { ...alone, variables: new Set(values.keys()), constants } };
}

/** As `letVariables`, the values alone. */
export function letValues(args: Arguments, instant: Instant): ReadonlyMap<string, Value> {
  return args.document("let") === undefined ? NO_VALUES : letVariables(args, instant).values;
}

const NO_VALUES: ReadonlyMap<string, Value> = new Map();

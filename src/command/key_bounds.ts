/**
 * `min` and `max` of a find: only documents come whose keys in the hinted index lie from `min` on and below `max`, and they
 * come in the index's order.
 */
import { CommandError } from "../base/mod.ts";
import { Document, equalValues, isNumber } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { type FindSpec, type KeyBounds, keyRangeOf } from "../query/mod.ts";
import { numberOf } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import { listedIndexes } from "./indexes.ts";

/** A find, and the range of keys of its hinted index that its documents are in. */
export interface BoundedFind {
  readonly spec: FindSpec;
  readonly keyBounds: KeyBounds | undefined;
}

/** @throws CommandError where the bounds do not fit to each other or to the hinted index */
export function withKeyBounds(call: CommandCall, namespace: Namespace, spec: FindSpec): BoundedFind {
  const bounds = boundsOf(call);
  if (bounds === undefined) return { spec, keyBounds: undefined };
  const info = call.state.services.router.collection(namespace);
  if (info === undefined) return { spec, keyBounds: undefined };
  if (
    info.view !== undefined || info.timeseries !== undefined || info.options.get("collation") !== undefined
  ) {
    throw new CommandError(
      "NotImplemented",
      "the options 'min' and 'max' of find are not implemented for views, time series and collations",
    );
  }
  const hint = call.args.get("hint");
  if (hint === undefined) {
    throw refusal(namespace, 51173, "When using min()/max() a hint of which index to use must be provided");
  }
  if (hint instanceof Document && hint.has("$natural")) {
    throw refusal(namespace, "NoQueryExecutionPlans", "min and max are incompatible with $natural");
  }
  const index = listedIndexes(info).find((each) =>
    equalValues(hint instanceof Document ? each.get("key") : each.get("name"), hint)
  );
  const key = index?.get("key");
  if (!(key instanceof Document)) return { spec, keyBounds: undefined };
  checkFit(namespace, key, bounds, index!.has("clustered"));
  return { spec, keyBounds: bounds };
}

/** The bounds that are given; one without fields is none. */
function boundsOf({ args }: CommandCall): KeyBounds | undefined {
  const [min, max] = ["min", "max"].map((name) => {
    const bound = args.document(name);
    return bound?.isEmpty() ? undefined : bound;
  });
  if (min === undefined && max === undefined) return undefined;
  if (min !== undefined && max !== undefined && !haveSameNames(min, max)) {
    throw new CommandError(51176, "min and max must have the same field names");
  }
  return { min, max };
}

function checkFit(namespace: Namespace, key: Document, bounds: KeyBounds, isClustered: boolean): void {
  for (const bound of [bounds.min, bounds.max]) {
    if (bound !== undefined && !haveSameNames(bound, key)) {
      throw refusal(namespace, 51174, "The index chosen is not compatible with min/max");
    }
  }
  const directions = key.values().map((direction) => isNumber(direction) && numberOf(direction) < 0);
  if (keyRangeOf(bounds, directions) === undefined) {
    if (isClustered) throw refusal(namespace, 6137401, "max() must be greater than min()");
    throw refusal(
      namespace,
      51175,
      "The value provided for min() does not come before the value provided for max() in the hinted index",
    );
  }
}

function haveSameNames(a: Document, b: Document): boolean {
  return a.names().join("\0") === b.names().join("\0");
}

function refusal(
  namespace: Namespace,
  code: number | "NoQueryExecutionPlans",
  reason: string,
): CommandError {
  const where = `error processing query: ns=${namespaceText(namespace)}`;
  return new CommandError(code, `${where} planner returned error :: caused by :: ${reason}`);
}

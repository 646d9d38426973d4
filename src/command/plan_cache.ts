/**
 * `planCacheClear`, `planCacheListFilters`, `planCacheClearFilters`: each query is planned when it is run, so nothing is
 * remembered of plans, and no filters limit them.
 */
import { CommandError } from "../base/mod.ts";
import { Document } from "../bson/mod.ts";
import { namespaceText, refuseView } from "../cluster/mod.ts";
import { parseFilter } from "../query/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { namespaceOf } from "./namespace.ts";

const SHAPE_FIELDS = ["sort", "projection", "collation"] as const;

export const planCacheClear: Command = {
  name: "planCacheClear",
  help: "forget the plans of a collection: none are remembered",
  run: checkQueryShape,
};

export const planCacheClearFilters: Command = {
  name: "planCacheClearFilters",
  help: "drop the filters that limit the plans of a collection: there are none",
  run: checkQueryShape,
};

export const planCacheListFilters: Command = {
  name: "planCacheListFilters",
  help: "list the filters that limit the plans of a collection: there are none",
  run: (call, reply) => {
    isPlanned(call);
    reply.value("filters", []);
  },
};

/** @throws CommandError for what is no query, where there is a collection to ask it of */
function checkQueryShape(call: CommandCall): void {
  const { args } = call;
  if (!isPlanned(call)) return;
  if (!args.has("query")) {
    if (!SHAPE_FIELDS.some((name) => args.has(name))) return;
    throw new CommandError("BadValue", "sort, projection, or collation provided without query");
  }
  const query = args.get("query");
  if (!(query instanceof Document)) {
    throw new CommandError("BadValue", "required field query must be an object");
  }
  for (const name of SHAPE_FIELDS) {
    if (args.has(name) && !(args.get(name) instanceof Document)) {
      throw new CommandError("BadValue", `optional field ${name} must be an object`);
    }
  }
  parseFilter(query);
}

/** Whether there is a collection. @throws CommandError for what MongoDB plans as something else */
function isPlanned(call: CommandCall): boolean {
  const namespace = namespaceOf(call, "InvalidNamespace");
  const info = call.state.services.router.collection(namespace);
  refuseView(info);
  if (info?.timeseries !== undefined) {
    const text = `Namespace ${namespaceText(namespace)} is a timeseries collection`;
    throw new CommandError("CommandNotSupportedOnView", text);
  }
  return info !== undefined;
}

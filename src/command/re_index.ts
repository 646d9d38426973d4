/** `reIndex`: MongoDB has it where nothing is replicated only. */
import { CommandError } from "../base/mod.ts";
import { namespaceText } from "../cluster/mod.ts";
import type { Command } from "./command.ts";
import { namespaceOf } from "./namespace.ts";

export const reIndex: Command = {
  name: "reIndex",
  help: "make the indexes of a collection anew: refused, as by MongoDB's replica sets",
  run: (call) => {
    const name = namespaceText(namespaceOf(call, "InvalidNamespace"));
    throw new CommandError(
      "IllegalOperation",
      `reIndex is only allowed on a standalone mongod instance. Cannot reIndex '${name}' while replication is active`,
    );
  },
};

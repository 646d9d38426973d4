/** Commands that do nothing but be in the Stable API, deprecated in it or outside of it: for the tests of drivers. */
import type { BsonWriter } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";

export const testDeprecation = testCommand("testDeprecation", { stableApi: true, deprecated: true });
export const testVersion2 = testCommand("testVersion2", {});
export const testVersions1And2 = testCommand("testVersions1And2", { stableApi: true });

function testCommand(name: string, api: Pick<Command, "stableApi" | "deprecated">): Command {
  return {
    name,
    help: "does nothing, for tests of the Stable API",
    testOnly: true,
    ...api,
    run: showVersion,
  };
}

/** Shows what was asked for of the Stable API. */
function showVersion({ args }: CommandCall, reply: BsonWriter): void {
  for (const name of ["apiVersion", "apiStrict", "apiDeprecationErrors"]) {
    if (args.has(name)) reply.value(name, args.get(name));
  }
}

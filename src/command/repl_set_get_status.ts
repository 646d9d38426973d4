/** `replSetGetStatus`: refused in the words of MongoDB's router, by which clients and monitoring tools know one. */
import { CommandError } from "../base/mod.ts";
import type { Command } from "./command.ts";

export const replSetGetStatus: Command = {
  name: "replSetGetStatus",
  help: "not supported through a router",
  adminOnly: true,
  run: () => {
    // MongoDB's router sends no code with it; ours has one, because drivers make little of an error without.
    throw new CommandError("CommandNotSupported", "replSetGetStatus is not supported through mongos", {
      extra: { info: "mongos" },
    });
  },
};

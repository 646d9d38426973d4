/** `whatsmyuri`: the client's address as the server sees it. */
import type { Command } from "./command.ts";

export const whatsMyUri: Command = {
  name: "whatsmyuri",
  help: "the client's address as the server sees it",
  run: (call, reply) => reply.value("you", call.client.remote),
};

/** `hostInfo`: the machine that the server runs on. */
import { type BsonWriter, BuiltDocument, Int32, UtcDate } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { checkFields } from "./arguments.ts";
import { isGenericArgument } from "./generic.ts";
import { int64OrInt32 } from "./numbers.ts";

const MEBIBYTE = 1024 * 1024;

export const hostInfo: Command = {
  name: "hostInfo",
  help: "returns information about the daemon's host",
  run: runHostInfo,
};

function runHostInfo(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "hostInfo", { hostInfo: "any" }, isGenericArgument);
  const { host, port, clock } = call.state.services;
  const memory = int64OrInt32(host.memoryBytes / MEBIBYTE);
  reply.value(
    "system",
    BuiltDocument.of({
      currentTime: new UtcDate(clock.nowMs()),
      hostname: `${host.hostname}:${port}`,
      cpuAddrSize: Int32.of(64),
      memSizeMB: memory,
      memLimitMB: memory,
      numCores: Int32.of(host.cpuCores),
      cpuArch: host.cpuArch,
      numaEnabled: false,
    }),
  );
  reply.value("os", BuiltDocument.of({ type: host.osType, name: host.osName, version: host.osVersion }));
  reply.value("extra", BuiltDocument.EMPTY);
}

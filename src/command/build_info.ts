/** `buildInfo`: the version of MongoDB that is spoken for, and what really runs. */
import { MAX_DOCUMENT_BYTES } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Int32 } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { MONGODB_VERSION, MONGODB_VERSION_ARRAY } from "./version.ts";

export const buildInfo: Command = {
  name: "buildInfo",
  aliases: ["buildinfo"],
  help: "get version #, etc.",
  stableApi: true,
  run: runBuildInfo,
};

function runBuildInfo(call: CommandCall, reply: BsonWriter): void {
  const { version, host } = call.state.services;
  reply.value("version", MONGODB_VERSION);
  reply.value("gitVersion", `chronogo-${version}`);
  reply.value("modules", ["chronogo"]);
  reply.value("allocator", "system");
  reply.value("javascriptEngine", "none");
  reply.value("sysInfo", "deprecated");
  reply.value("versionArray", MONGODB_VERSION_ARRAY.map((part) => Int32.of(part)));
  reply.value(
    "buildEnvironment",
    BuiltDocument.of({ target_arch: host.cpuArch, target_os: host.osType.toLowerCase() }),
  );
  reply.value("bits", Int32.of(64));
  reply.value("debug", false);
  reply.value("maxBsonObjectSize", Int32.of(MAX_DOCUMENT_BYTES));
  reply.value("storageEngines", ["chronogo"]);
  reply.value("chronogo", BuiltDocument.of({ version }));
}

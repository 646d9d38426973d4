/** `convertToCapped`: a collection becomes a capped one; what it holds beyond that goes, and so do its indexes. */
import { CommandError } from "../base/mod.ts";
import { isNumber } from "../bson/mod.ts";
import { namespaceText } from "../cluster/mod.ts";
import { type Arguments, numberOf } from "./arguments.ts";
import { withCapped } from "./capped_options.ts";
import type { Command, CommandCall } from "./command.ts";
import { namespaceToWrite } from "./namespace.ts";

export const convertToCapped: Command = {
  name: "convertToCapped",
  help: "make a collection capped: {convertToCapped: name, size: bytes}",
  takesWriteConcern: true,
  run: runConvert,
};

async function runConvert(call: CommandCall): Promise<void> {
  const namespace = namespaceToWrite(call);
  const size = cappedSize(call.args);
  await call.state.services.router.convertToCapped(namespace, (info) => {
    if (info.timeseries !== undefined) {
      const text = `Namespace ${namespaceText(namespace)} is a timeseries collection`;
      throw new CommandError("CommandNotSupportedOnView", text);
    }
    return withCapped(info.options, size, undefined);
  });
}

/** @throws CommandError where there is none */
export function cappedSize(args: Arguments): number {
  const size = args.get("size");
  const bytes = isNumber(size) ? numberOf(size) : 0;
  if (bytes < 0) throw new CommandError("BadValue", "size has to be >= 0");
  // MongoDB gives this failure no code.
  if (!(bytes > 0)) throw new CommandError("InvalidOptions", "invalid command spec");
  return bytes;
}

/** `configureFailPoint`: arms a fail point, or disarms it. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import type { FailPoints } from "./fail_points.ts";

export const configureFailPoint: Command = {
  name: "configureFailPoint",
  help: "make commands fail, for tests: {configureFailPoint: name, mode: {times: 1}, data: {…}}",
  adminOnly: true,
  testOnly: true,
  run: runConfigureFailPoint,
};

function runConfigureFailPoint(call: CommandCall, reply: BsonWriter): void {
  const { args } = call;
  const failPoint = failPointsOf(call).find(args.string("configureFailPoint") ?? "");
  failPoint.configure(args.get("mode"), args.get("data"));
  reply.value("count", Int32.of(failPoint.timesEntered));
}

/** The fail points of a server that has them. */
export function failPointsOf({ name, state }: CommandCall): FailPoints {
  if (state.failPoints !== undefined) return state.failPoints;
  throw new CommandError("CommandNotFound", `no such command: '${name}'`);
}

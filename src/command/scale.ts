/** The `scale` argument of the statistics: sizes are divided by it, whole numbers stay whole. */
import type { Arguments } from "./arguments.ts";
import { int64OrInt32 } from "./numbers.ts";

/** @throws CommandError when it is below 1 */
export function scaleOf(args: Arguments): number {
  return args.integerFrom("scale", 1) ?? 1;
}

/** A size in the asked unit. */
export function scaled(bytes: number, scale: number): ReturnType<typeof int64OrInt32> {
  return int64OrInt32(bytes / scale);
}

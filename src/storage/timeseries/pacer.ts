/** Lets others run while long work goes on in the background. */
import { YIELD_AFTER_MS } from "../../base/mod.ts";
import type { Clock } from "../../io/mod.ts";

/** To be awaited between small pieces of work. */
export type Pace = () => Promise<void>;

/**
 * @param onStep called at every step
 * @param workMs after how long others get their turn
 */
export function pacer(clock: Clock, onStep: () => void, workMs = YIELD_AFTER_MS): Pace {
  let since = clock.monotonicMs();
  return async () => {
    onStep();
    if (clock.monotonicMs() - since < workMs) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    since = clock.monotonicMs();
  };
}

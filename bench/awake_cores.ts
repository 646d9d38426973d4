/**
 * Keeps the machine's cores from sleeping while something is timed. Between two short queries a server has nothing to do: its
 * core sleeps, and has to be woken; that of a virtual machine is given to others meanwhile and comes back with their caches.
 * A query of a fifth of a millisecond then takes two or three times as long, more in one minute than in the next.
 */

/** Ends when who started it has. */
const SPIN = "const bench = Deno.ppid; while (Deno.ppid === bench) for (let i = 0; i < 1e8; i++);";

/** One process for each core that gives it up to any other that wants it (SCHED_IDLE); they end with what is returned. */
export function keepCoresAwake(): Disposable {
  const ended = new AbortController();
  try {
    for (let core = 0; core < navigator.hardwareConcurrency; core++) {
      const args = ["--idle", "0", Deno.execPath(), "eval", SPIN];
      new Deno.Command("chrt", { args, signal: ended.signal }).spawn();
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error("cores may sleep: there is no chrt (util-linux) here");
  }
  return { [Symbol.dispose]: () => ended.abort() };
}

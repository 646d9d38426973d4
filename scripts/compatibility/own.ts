/** What there is beyond MongoDB's: stages, accumulators and commands, each with what it does and its page in docs/. */
export const OWN: Readonly<Record<string, { readonly does: string; readonly page: string }>> = {
  $asofJoin: {
    does: "joins each row with the nearest one in time of another collection",
    page: "stages/asofJoin",
  },
  $latest: { does: "the last row of each series, or of each `by`", page: "stages/latest" },
  $timeWindow: {
    does: "groups by windows of time: tumbling, sliding, session, state, event and count windows, with fill",
    page: "stages/timeWindow",
  },
  $delta: { does: "last value − first value, by time", page: "stages/timeWindow" },
  $histogram: { does: "how many values lie between given boundaries", page: "stages/timeWindow" },
  $increase: { does: "growth of a counter, resets taken into account", page: "stages/timeWindow" },
  $rate: { does: "growth of a counter per unit of time", page: "stages/timeWindow" },
  $spread: { does: "greatest value − least value", page: "stages/timeWindow" },
  $twa: { does: "time-weighted average", page: "stages/timeWindow" },
  emptyCaches: { does: "drops from memory what was kept of the files, to measure reads", page: "tools" },
};

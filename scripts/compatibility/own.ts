/** What the language has beyond MongoDB's: stages and accumulators, each with what it does and its page. */
export const OWN: Readonly<Record<string, { readonly does: string; readonly page: string }>> = {
  $asofJoin: { does: "joins each row with the nearest one in time of another collection", page: "asofJoin" },
  $latest: { does: "the last row of each series, or of each `by`", page: "latest" },
  $timeWindow: {
    does: "groups by windows of time: tumbling, sliding, session, state, event and count windows, with fill",
    page: "timeWindow",
  },
  $delta: { does: "last value − first value, by time", page: "timeWindow" },
  $histogram: { does: "how many values lie between given boundaries", page: "timeWindow" },
  $increase: { does: "growth of a counter, resets taken into account", page: "timeWindow" },
  $rate: { does: "growth of a counter per unit of time", page: "timeWindow" },
  $spread: { does: "greatest value − least value", page: "timeWindow" },
  $twa: { does: "time-weighted average", page: "timeWindow" },
};

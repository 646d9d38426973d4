/**
 * The guard against getting slower: of a run and of the results that are kept, the ratios to the same peer are compared,
 * not the times, so that another machine gives no other verdict.
 */

/** A measure whose ratio to a peer has fallen. */
export interface Regression {
  readonly measure: string;
  readonly peer: string;
  readonly before: number;
  readonly now: number;
}

/** A ratio below this part of what it was has fallen: runs of one program differ by a third on a busy machine. */
const TOLERATED = 0.6;
const RATIO_TITLE = "times better than ";

/** @param kept a report @param now a report of the same workload */
export function regressions(kept: string, now: string): Regression[] {
  const before = ratiosOf(kept);
  return [...ratiosOf(now)].flatMap(([key, ratio]) => {
    const known = before.get(key);
    if (known === undefined || ratio >= known * TOLERATED) return [];
    const [measure = "", peer = ""] = key.split("\n");
    return [{ measure, peer, before: known, now: ratio }];
  });
}

/** The ratios in the tables of a report, by measure and peer. */
export function ratiosOf(report: string): Map<string, number> {
  const ratios = new Map<string, number>();
  let peers: readonly (string | undefined)[] = [];
  for (const line of report.split("\n")) {
    if (!line.startsWith("|")) continue;
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (cells[0] === "") {
      peers = cells.map((cell) => cell.startsWith(RATIO_TITLE) ? cell.slice(RATIO_TITLE.length) : undefined);
      continue;
    }
    cells.forEach((cell, i) => {
      const peer = peers[i];
      const ratio = Number.parseFloat(cell.replaceAll(",", ""));
      if (peer !== undefined && Number.isFinite(ratio)) ratios.set(`${cells[0]}\n${peer}`, ratio);
    });
  }
  return ratios;
}

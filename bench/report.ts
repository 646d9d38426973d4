/** The table: a line a measure, a column a peer, and how many times better the first peer is than each other. */
import type { Measured } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import type { Query } from "./query.ts";

interface Line {
  readonly name: string;
  readonly better: "more" | "less" | "neither";
  readonly values: readonly (number | undefined)[];
}

/** The whole report, as Markdown. */
export function report(results: readonly Measured[], options: BenchOptions): string {
  const peers = results.map(({ peer }) => peer);
  const ratios = peers.slice(1).map((peer) => `times better than ${peer}`);
  return [
    `${options.scenario.describe(options)}, in batches of ${options.batchRows}; ` +
    `${options.singleRows} single inserts from ${options.connections} connections; ` +
    `queries: median of ${options.runs} runs or more`,
    "",
    row(["", ...peers, ...ratios]),
    row(["---", ...peers.map(() => "---:"), ...ratios.map(() => "---:")]),
    ...linesOf(results, options).map((line) => row([line.name, ...line.values.map(text), ...ratiosOf(line)])),
    "",
    ...disagreements(results),
  ].join("\n");
}

function linesOf(results: readonly Measured[], { rowCount, singleRows }: BenchOptions): Line[] {
  const line = (
    name: string,
    better: Line["better"],
    value: (measured: Measured) => number | undefined,
  ): Line => ({ name, better, values: results.map(value) });
  const queries: readonly Query[] = results[0]?.queries.map(({ query }) => query) ?? [];
  return [
    line("load, rows/s", "more", ({ load }) => rowCount / load.seconds),
    line("load, rows per second of server CPU", "more", ({ load }) => rowCount / load.cpuSeconds),
    line("insertOne, durable, ops/s", "more", ({ singles }) => singles && singleRows / singles.seconds),
    line("insertOne, p50 ms", "less", ({ singles }) => singles?.p50Ms),
    line("insertOne, p99 ms", "less", ({ singles }) => singles?.p99Ms),
    line("insertOne, ops per second of server CPU", "more", ({ singles }) => {
      return singles && singleRows / singles.cpuSeconds;
    }),
    line("disk without ids, bytes a row", "less", ({ disk }) => {
      return disk?.ids === undefined ? undefined : (disk.data - disk.ids) / rowCount;
    }),
    line("disk, ids, bytes a row", "neither", ({ disk }) => disk?.ids && disk.ids / rowCount),
    line("disk together, bytes a row", "less", ({ disk }) => disk && disk.data / rowCount),
    line("log beside it, MB", "neither", ({ disk }) => disk && disk.log / 1e6),
    line("a ping, ms", "less", ({ pingMs }) => pingMs),
    ...queries.flatMap((query, at) => [
      line(`${query.name}, ms`, "less", ({ queries }) => queries[at]?.found?.ms),
      line(`${query.name}, cold, ms`, "less", ({ queries }) => queries[at]?.found?.coldMs),
      line(`${query.name}, first after a start, ms`, "less", ({ queries }) => queries[at]?.found?.firstMs),
      line(`${query.name}, server CPU ms`, "less", ({ queries }) => queries[at]?.found?.cpuMs),
    ]),
  ];
}

function ratiosOf({ better, values }: Line): string[] {
  const [first, ...others] = values;
  return others.map((other) => {
    if (better === "neither" || first === undefined || other === undefined || first === 0 || other === 0) {
      return "–";
    }
    return `${text(better === "more" ? first / other : other / first)} ×`;
  });
}

/** A line for each query whose answers are not the same: then its times say nothing. */
function disagreements(results: readonly Measured[]): string[] {
  const queries = results[0]?.queries.map(({ query }) => query) ?? [];
  return queries.flatMap(({ name }, at) => {
    const answers = results.flatMap(({ peer, queries }) => {
      const answer = queries[at]?.found?.answer;
      return answer === undefined ? [] : [{ peer, text: JSON.stringify(answer) }];
    });
    if (new Set(answers.map(({ text }) => text)).size <= 1) return [];
    return [
      `NOT THE SAME ANSWER to ${name}: ${answers.map(({ peer, text }) => `${peer} ${text}`).join(", ")}`,
    ];
  });
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function text(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/**
 * The series that the bench of codecs encodes: real ones from the npm package vega-datasets, installed once into a
 * folder that git does not see, and the metrics of the generated servers.
 */
import { installPackages } from "../scripts/installed_packages.ts";
import { CpuWorkload, METRICS } from "../tests/data/cpu_workload.ts";

const FOLDER = new URL("./.installed/series/", import.meta.url).pathname;
const PACKAGE = "vega-datasets@3.2.1";
const DATA = `${FOLDER}node_modules/vega-datasets/data/`;

export interface Series {
  readonly name: string;
  readonly values: Float64Array;
  /** What ALP takes for data of the same kind, by its authors. */
  readonly like?: PublishedSize;
}

/** The bits a value of one of the data sets of ALP's paper, from its authors' own results (github.com/cwida/ALP). */
export interface PublishedSize {
  readonly dataSet: string;
  readonly bits: number;
}

const LIKE: Readonly<Record<string, PublishedSize>> = {
  "Seattle, highest °C": { dataSet: "City-Temp", bits: 10.74 },
  "Seattle, lowest °C": { dataSet: "City-Temp", bits: 10.74 },
  "Seattle, wind": { dataSet: "Basel-Wind", bits: 29.81 },
  "five stocks, price": { dataSet: "Stocks-USA (ticks)", bits: 7.9 },
  "S&P 500 by day, close": { dataSet: "Stocks-DE (ticks)", bits: 11 },
  "wind field, direction": { dataSet: "Wind-dir", bits: 15.89 },
};

/** Which columns of which file, and by which name. */
const COLUMNS: readonly (readonly [name: string, file: string, column: string])[] = [
  ["Seattle, highest °C", "seattle-weather.csv", "temp_max"],
  ["Seattle, lowest °C", "seattle-weather.csv", "temp_min"],
  ["Seattle, wind", "seattle-weather.csv", "wind"],
  ["Seattle, rain", "seattle-weather.csv", "precipitation"],
  ["five stocks, price", "stocks.csv", "price"],
  ["S&P 500 by month", "sp500.csv", "price"],
  ["S&P 500 by day, close", "sp500-2000.csv", "close"],
  ["S&P 500 by day, volume", "sp500-2000.csv", "volume"],
  ["CO2, ppm", "co2-concentration.csv", "CO2"],
  ["CO2, adjusted", "co2-concentration.csv", "adjusted CO2"],
  ["wind field, speed", "windvectors.csv", "speed"],
  ["wind field, direction", "windvectors.csv", "dir"],
];

/** All series. @throws Error when the package cannot be installed */
export async function loadSeries(): Promise<Series[]> {
  await installPackages({ folder: FOLDER, npm: [PACKAGE], name: "the series (50 MB)" });
  const series = COLUMNS.map(([name, file, column]): Series => {
    const like = LIKE[name];
    return { name, values: readColumn(file, column), ...(like === undefined ? {} : { like }) };
  });
  const servers = serverMetrics();
  return [...series, logarithms(series[6]!), { name: "server metrics", values: servers }, meanOf(servers)];
}

function readColumn(file: string, column: string): Float64Array {
  const [head = "", ...lines] = Deno.readTextFileSync(DATA + file).trim().split(/\r?\n/);
  const index = head.split(",").indexOf(column);
  if (index < 0) throw new Error(`${file} has no column "${column}"`);
  return Float64Array.from(lines, (line) => Number(line.split(",")[index]));
}

/** Real doubles: the daily returns of a price. */
function logarithms(prices: Series): Series {
  const { values } = prices;
  const returns = values.subarray(1).map((value, i) => Math.log(value / values[i]!));
  return { name: "S&P 500, daily return", values: returns };
}

/** Whole numbers: a page of each metric of one server, as a segment holds them. */
function serverMetrics(): Float64Array {
  const rows = 4096;
  const workload = new CpuWorkload({ hosts: 1, startMs: 0, intervalMs: 10_000, seed: 1 });
  const values = new Float64Array(rows * METRICS.length);
  for (let row = 0; row < rows; row++) {
    workload.advanceTo(row + 1);
    for (let metric = 0; metric < METRICS.length; metric++) {
      values[metric * rows + row] = workload.values[metric]!;
    }
  }
  return values;
}

/** Real doubles that move slowly: the mean of six values, as monitoring computes it. */
function meanOf(values: Float64Array): Series {
  const means = values.subarray(0, 4 * 4096).map((_, i) => {
    const window = values.subarray(i, i + 6);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  });
  return { name: "server metrics, mean of six", values: means };
}

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Texts of the same package, of about a page. `loadSeries` has installed it. */
export function loadTexts(): NamedBytes[] {
  return ["movies.json", "earthquakes.json", "seattle-weather.csv"].map((name) => {
    return { name, bytes: Deno.readFileSync(DATA + name).slice(0, 128 * 1024) };
  });
}

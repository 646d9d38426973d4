/** `chronogo inspect FILE`: one file of a data folder as text, told by its first bytes. See docs/tools.md. */
import { deserialize, EJSON } from "bson";
import { CorruptionError } from "../base/mod.ts";
import { BuiltDocument, type Document, encodeDocument, type Value } from "../bson/mod.ts";
import { counted, entryText, masksText, namespaceText, readCatalogFile } from "../cluster/mod.ts";
import { DenoDisk } from "../io/mod.ts";
import {
  type PageReport,
  readLogFile,
  readManifestFile,
  readMaskFile,
  SERIES_FILE,
  SeriesFile,
  SeriesIndex,
  verifySegment,
} from "../storage/mod.ts";
import { firstLine } from "./listen.ts";
import { usageError } from "./start_error.ts";
import { textTable } from "./text_table.ts";

type Print = (line: string) => void;
/** Prints a file. @returns the exit code. @throws CorruptionError */
type Inspect = (disk: DenoDisk, name: string, print: Print) => number | Promise<number>;

/** The first eight bytes of each kind of file. */
const KINDS: Readonly<Record<string, Inspect>> = {
  CHRONLOG: inspectLog,
  CGCAT001: inspectCatalog,
  "CGMANIF\n": inspectManifest,
  "CGMASKS\n": inspectMasks,
  "CGSEGMT\n": inspectSegment,
};
const MAGIC_BYTES = 8;
/** By name: what has no magic, and what has lost it. */
const KINDS_OF_NAMES: readonly (readonly [RegExp, Inspect])[] = [
  [/^SERIES$/, inspectSeries],
  [/\.(log|spare)$/, inspectLog],
  [/^catalog$/, inspectCatalog],
  [/^MANIFEST-\d+$/, inspectManifest],
  [/\.mask$/, inspectMasks],
  [/\.seg$/, inspectSegment],
];

/**
 * Prints what is in a file.
 *
 * @returns the exit code: 0, or 1 when the file is damaged
 * @throws StartError (2) when there is no such file or it is none of ours
 */
export async function runInspect(path: string, print: Print): Promise<number> {
  const { directory, name, magic } = openable(path);
  const disk = new DenoDisk(directory);
  if (name === "CURRENT") {
    return await runInspect(`${directory}/${Deno.readTextFileSync(`${directory}/CURRENT`).trim()}`, print);
  }
  const byName = KINDS_OF_NAMES.find(([pattern]) => pattern.test(name))?.[1];
  const inspect = (Object.hasOwn(KINDS, magic) ? KINDS[magic] : undefined) ?? byName;
  if (inspect === undefined) {
    throw usageError(`cannot inspect ${path}: it is no log, catalog, manifest, series, mask or segment file`);
  }
  try {
    return await inspect(disk, name, print);
  } catch (error) {
    const [offset, reason] = error instanceof CorruptionError
      ? [error.offset, error.reason]
      : [0, error instanceof Error ? firstLine(error.message) : String(error)];
    print(`${name}: at byte ${offset}: ${reason}`);
    return 1;
  }
}

function openable(path: string): { directory: string; name: string; magic: string } {
  try {
    const real = Deno.realPathSync(path);
    using file = Deno.openSync(real, { read: true });
    const bytes = new Uint8Array(MAGIC_BYTES);
    const read = file.readSync(bytes) ?? 0;
    const cut = real.lastIndexOf("/");
    const magic = new TextDecoder().decode(bytes.subarray(0, read));
    return { directory: real.slice(0, cut), name: real.slice(cut + 1), magic };
  } catch (error) {
    throw usageError(`cannot inspect ${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) {
    return "it is a folder; inspect takes one file of it, check takes all of it";
  }
  return error instanceof Error ? firstLine(error.message) : String(error);
}

function inspectLog(disk: DenoDisk, name: string, print: Print): number {
  const { sequence, sizeBytes, records, end } = readLogFile(disk, name);
  print(`log file ${sequence}: ${counted(records.length, "record")}, ${counted(sizeBytes, "byte")}`);
  const rows = records.map(({ offset, sizeBytes, record, positions }) => {
    if (record === undefined) {
      return [`${offset}`, `${sizeBytes}`, "", "", "", "", "flags of a later version"];
    }
    const { index, term, clusterTime } = record;
    const group = positions === undefined ? `${record.group}` : "log";
    const text = positions === undefined
      ? entryText(record)
      : `positions: ${[...positions].map(([g, i]) => `group ${g} at ${i}`).join(", ") || "none"}`;
    return [`${offset}`, `${sizeBytes}`, group, `${index}`, `${term}`, `${clusterTime}`, text];
  });
  for (
    const line of textTable(["at byte", "bytes", "group", "index", "term", "clusterTime", "holds"], rows)
  ) {
    print(line);
  }
  print(`records end at byte ${end}; behind it are zeros, records of an earlier use, or a torn tail`);
  return 0;
}

function inspectCatalog(disk: DenoDisk, name: string, print: Print): number {
  const { appliedIndex, collections } = readCatalogFile(disk, name);
  print(`catalog: ${counted(collections.length, "collection")}, entries up to ${appliedIndex}`);
  const rows = collections.map((info) => [
    `${info.id}`,
    namespaceText(info),
    info.timeseries === undefined ? "documents" : "time series",
    jsonOf(info.options),
  ]);
  for (const line of textTable(["id", "namespace", "kind", "options"], rows)) print(line);
  return 0;
}

function inspectManifest(disk: DenoDisk, name: string, print: Print): number {
  const { sizeBytes, changes, end } = readManifestFile(disk, name);
  print(`manifest: ${counted(changes.length, "change")}, ${counted(sizeBytes, "byte")}`);
  const rows = changes.map(({ offset, sizeBytes, change }) => {
    const facts = Object.entries(change).filter(([field]) => field !== "kind");
    return [
      `${offset}`,
      `${sizeBytes}`,
      change.kind,
      facts.map(([field, value]) => `${field} ${JSON.stringify(value)}`).join(", "),
    ];
  });
  for (const line of textTable(["at byte", "bytes", "change", ""], rows)) print(line);
  if (end < sizeBytes) print(`a torn record at byte ${end}`);
  return 0;
}

function inspectMasks(disk: DenoDisk, name: string, print: Print): number {
  const segments = readMaskFile(disk, name);
  print(`masks: ${masksText(segments)}`);
  const rows = [...segments].flatMap(([segment, masks]) =>
    [...masks].map(([offset, mask]) => [`${segment}`, `${offset}`, `${mask.count}`])
  );
  for (const line of textTable(["segment", "row group at byte", "rows gone"], rows)) print(line);
  return 0;
}

function inspectSeries(disk: DenoDisk, name: string, print: Print): number {
  const file = SeriesFile.openToRead(disk, name);
  const indexes = new Map<number, SeriesIndex>();
  const rows: string[][] = [];
  try {
    print(
      `${SERIES_FILE}: ${counted(file.sizeBytes, "byte")}; how many of them count stands in the manifest`,
    );
    let at = 0;
    const known = new Map<number, number>();
    file.read(file.sizeBytes, (id) => {
      const index = indexes.get(id) ?? new SeriesIndex();
      indexes.set(id, index);
      known.set(id, index.size);
      return index;
    }, (id, sizeBytes) => {
      const index = indexes.get(id);
      const first = known.get(id) ?? 0;
      const count = (index?.size ?? 0) - first;
      const meta = index === undefined || count === 0 ? "" : jsonOfValue(index.metaOf(first));
      rows.push([`${at}`, `${sizeBytes}`, `${id}`, `${first}`, `${count}`, meta]);
      at += sizeBytes;
    });
    return 0;
  } finally {
    file.close();
    for (
      const line of textTable(["at byte", "bytes", "table", "first", "series", "meta of the first"], rows)
    ) {
      print(line);
    }
  }
}

async function inspectSegment(disk: DenoDisk, name: string, print: Print): Promise<number> {
  const { sizeBytes, tables, damages } = await verifySegment(disk, name);
  print(`segment: ${counted(tables.length, "table")}, ${counted(sizeBytes, "byte")}`);
  for (const { entry, groups } of tables) {
    const rows = entry.groups.reduce((sum, group) => sum + group.rows, 0);
    print("");
    print(`table ${entry.tableId}: ${counted(rows, "row")}, ${counted(entry.dataBytes, "byte")} as BSON`);
    for (const { entry: group, series, columns, pages } of groups) {
      const span = `${timeText(group.minTime)} to ${timeText(group.maxTime)}`;
      print(
        `row group at byte ${group.offset}: ${counted(group.rows, "row")}, ${
          counted(series, "series", "series")
        } (${group.firstSeries} to ${group.lastSeries}), ${counted(columns, "column")}, ${span}`,
      );
      print(`  pages ${counted(group.pagesBytes, "byte")}, header ${counted(group.headerBytes, "byte")}`);
      for (const line of textTable(PAGE_HEAD, pages.map(pageRow))) print(line);
    }
  }
  for (const { offset, reason } of damages) print(`${name}: at byte ${offset}: ${reason}`);
  return damages.length === 0 ? 0 : 1;
}

const PAGE_HEAD = ["at byte", "bytes", "column", "values", "nulls", "NaNs", "codec", "min", "max"];

function pageRow(page: PageReport): string[] {
  // Milliseconds tell a person nothing.
  const isTime = page.column === "(times)";
  const bound = (value: number) => isTime ? timeText(value) : Number.isFinite(value) ? `${value}` : "";
  return [
    `${page.offset}`,
    `${page.sizeBytes}`,
    page.column,
    `${page.count}`,
    `${page.nulls}`,
    `${page.nans}`,
    page.codec,
    bound(page.min),
    bound(page.max),
  ];
}

function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

function jsonOf(document: Document): string {
  return EJSON.stringify(deserialize(encodeDocument(document), { promoteValues: false }), { relaxed: true });
}

function jsonOfValue(value: Value): string {
  if (value === undefined) return "none";
  return jsonOf(BuiltDocument.of({ meta: value }));
}

/** `chronogo check` and `chronogo inspect`: good folders pass, each kind of damage is found and named, nothing is written. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32, SILENT_LOGGER } from "../../src/base/mod.ts";
import { BuiltDocument, encodeDocument, Int32, RawDocument, UtcDate } from "../../src/bson/mod.ts";
import { runCheck } from "../../src/cli/check.ts";
import { runInspect } from "../../src/cli/inspect.ts";
import { Node } from "../../src/cluster/mod.ts";
import { DenoDisk, SystemClock } from "../../src/io/mod.ts";
import { readLogFile, verifySegment } from "../../src/storage/mod.ts";
import { startCommand, startServerProcess } from "../support/server_process.ts";

const LOG = "log/0000000001.log";
const CATALOG = "mnode/catalog";
const STORE = "vnode-1/timeseries";
const MANIFEST = `${STORE}/MANIFEST-000001`;
const SERIES = `${STORE}/SERIES`;
const SEGMENT = `${STORE}/00000001.seg`;
const SQLITE = "vnode-1/documents.sqlite";

const MEASUREMENTS = { db: "shop", collection: "power" };
const DEVICES = { db: "shop", collection: "devices" };
const TIMESERIES = {
  timeseries: { timeField: "t", metaField: "m", granularity: "seconds", bucketMaxSpanSeconds: 3600 },
  options: BuiltDocument.of({ note: "as told" }),
} as const;

function numbered(n: number): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of({
    _id: Int32.of(n),
    t: new UtcDate(1_700_000_000_000 + n * 1000),
    m: BuiltDocument.of({ host: `host-${n % 3}` }),
    watts: n / 10,
    state: `state ${n % 5}`,
    mixed: n % 2 === 0 ? n : "odd",
  })));
}

function documents(count: number, from = 0): RawDocument[] {
  return Array.from({ length: count }, (_, i) => numbered(from + i));
}

/** A folder as a clean stop leaves it, and one as a crash does, with rows and documents that only the log holds. */
async function makeFolders(root: string): Promise<{ readonly closed: string; readonly crashed: string }> {
  const closed = `${root}/closed`;
  const node = await Node.open({
    disk: new DenoDisk(closed),
    clock: new SystemClock(),
    logger: SILENT_LOGGER,
  });
  await node.router.createCollection(MEASUREMENTS, TIMESERIES);
  await node.router.createCollection(DEVICES, { options: BuiltDocument.EMPTY });
  await node.router.insert(MEASUREMENTS, documents(5000), true);
  await node.router.insert(DEVICES, documents(40), true);
  await node.checkpoint();
  await node.router.insert(DEVICES, documents(10, 40), true);
  await node.router.insert(MEASUREMENTS, documents(100, 5000), true);
  const crashed = `${root}/crashed`;
  cpSync(closed, crashed, { recursive: true });
  await node.close();
  return { closed, crashed };
}

/** Every file below a folder and its content's hash. */
function contentOf(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return contentOf(path, `${prefix}${entry.name}/`);
    const hash = createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
    return [`${prefix}${entry.name} ${hash}`];
  });
}

interface Checked {
  readonly code: number;
  readonly lines: readonly string[];
}

async function check(folder: string): Promise<Checked> {
  const lines: string[] = [];
  const code = await runCheck(folder, (line) => lines.push(line));
  return { code, lines };
}

/** Checks a copy of a folder after something was done to it. */
async function checkAfter(
  folder: string,
  change: (copy: string) => void | Promise<void>,
): Promise<Checked> {
  const copy = Deno.makeTempDirSync({ prefix: "chronogo-test-" });
  try {
    cpSync(folder, copy, { recursive: true });
    await change(copy);
    const before = contentOf(copy);
    const checked = await check(copy);
    assert.deepEqual(contentOf(copy), before, "a check writes nothing");
    return checked;
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
}

/** A problem of that file was found, and the exit code says so. */
function assertFound({ code, lines }: Checked, path: string, reason: RegExp, what = path): void {
  const text = lines.join("\n");
  assert.equal(code, 1, `${what}\n${text}`);
  const found = lines.filter((line) => line.startsWith(`${path}: at byte `));
  assert.ok(found.some((line) => reason.test(line)), `${what}\n${text}`);
  assert.match(lines.at(-1) ?? "", /^\d+ problems?: /);
}

function flip(path: string, offset: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[offset]! ^= 0x10;
  Deno.writeFileSync(path, bytes);
}

async function withFolders(
  run: (folders: { readonly closed: string; readonly crashed: string }) => Promise<void> | void,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "chronogo-test-" });
  try {
    await run(await makeFolders(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** About `count` places in `[from, end)`. */
function places(from: number, end: number, count: number): number[] {
  const step = Math.max(1, Math.floor((end - from) / count));
  return Array.from({ length: Math.ceil((end - from) / step) }, (_, i) => from + i * step);
}

Deno.test("a folder after a clean stop and one after a crash pass, and nothing in them changes", async () => {
  await withFolders(async ({ closed, crashed }) => {
    const clean = await checkAfter(closed, () => {});
    assert.equal(clean.code, 0, clean.lines.join("\n"));
    const text = clean.lines.join("\n");
    assert.match(text, /^format\.json: node [0-9a-f-]{36}$/m);
    assert.match(text, /^mnode\/catalog: 2 collections, entries up to 2$/m);
    assert.match(text, /^log\/0000000001\.log: 6 records in [\d,]+ bytes of [\d,]+ bytes$/m);
    assert.match(text, /MANIFEST-000001: 3 changes, 1 table, 2 segments, log entries up to 4, /);
    assert.match(text, /SERIES: 3 series of 1 table, /);
    assert.match(text, /00000001\.seg: 5,000 rows of 1 table, 1 row group, 10 pages, [\d,]+ bytes$/m);
    assert.match(text, /documents\.sqlite: 50 documents of 1 collection, /);
    assert.equal(
      clean.lines.at(-1),
      "no problems: 8 files, 2 collections, 3 series, 5,100 rows in segments, 50 documents, 6 log entries",
    );
    const torn = await checkAfter(crashed, () => {});
    assert.equal(torn.code, 0, torn.lines.join("\n"));
    assert.match(torn.lines.at(-1) ?? "", /5,000 rows in segments, 50 documents, 6 log entries$/);
  });
});

Deno.test("a crash's torn tail and leftovers are no problem, and stay", async () => {
  await withFolders(async ({ crashed }) => {
    const found = await checkAfter(crashed, (copy) => {
      const { records } = readLogFile(new DenoDisk(copy), LOG);
      flip(`${copy}/${LOG}`, records.at(-1)!.offset + 50);
      const manifest = Deno.readFileSync(`${copy}/${MANIFEST}`);
      Deno.writeFileSync(`${copy}/${MANIFEST}`, Uint8Array.of(...manifest, 9, 0, 0, 0, 1));
      Deno.writeFileSync(`${copy}/${STORE}/00000009.seg`, new Uint8Array(10));
    });
    assert.equal(found.code, 0, found.lines.join("\n"));
    assert.match(found.lines.at(-1) ?? "", /, 5 log entries$/);
    assert.match(found.lines.join("\n"), /MANIFEST-000001: note: a torn record at byte \d+/);
    assert.match(found.lines.join("\n"), /00000009\.seg: note: left over/);
  });
});

Deno.test("a flipped byte anywhere in a file with checksums is found and named", async () => {
  await withFolders(async ({ closed }) => {
    const sizeOf = (path: string) => Deno.statSync(`${closed}/${path}`).size;
    const { records } = readLogFile(new DenoDisk(closed), LOG);
    const manifest = Deno.readFileSync(`${closed}/${MANIFEST}`);
    const lastRecord = new TextDecoder().decode(manifest).lastIndexOf("{") - 8;
    const flips: readonly (readonly [string, readonly number[]])[] = [
      ["format.json", [0, 2]],
      [CATALOG, places(0, sizeOf(CATALOG), 8)],
      [LOG, [0, 17, 30, ...records.flatMap(({ offset, sizeBytes }) => [offset, offset + sizeBytes - 1])]],
      [`${STORE}/CURRENT`, [0, 9, 15]],
      [MANIFEST, places(0, lastRecord, 8)],
      [SERIES, places(0, sizeOf(SERIES), 8)],
      [SEGMENT, places(0, sizeOf(SEGMENT), 24)],
    ];
    for (const [path, offsets] of flips) {
      for (const offset of offsets) {
        const found = await checkAfter(closed, (copy) => flip(`${copy}/${path}`, offset));
        assertFound(found, path, /./, `${path}, byte ${offset}`);
      }
    }
  });
});

Deno.test("a page whose checksum is right and whose values are not what the directory says is found", async () => {
  await withFolders(async ({ closed }) => {
    const found = await checkAfter(closed, async (copy) => {
      const { tables } = await verifySegment(new DenoDisk(copy), SEGMENT);
      const page = tables[0]?.groups[0]?.pages.find(({ column }) => column === "_id");
      assert.ok(page !== undefined && page.min === 0);
      const bytes = Deno.readFileSync(`${copy}/${SEGMENT}`);
      const content = bytes.subarray(page.offset + 4, page.offset + page.sizeBytes);
      // Behind the page's kind, the type and the codec stands the first value, as a varint.
      assert.equal(content[3], 0);
      content[3] = 1;
      new DataView(bytes.buffer).setUint32(page.offset, crc32(content), true);
      Deno.writeFileSync(`${copy}/${SEGMENT}`, bytes);
    });
    assertFound(found, SEGMENT, /at byte \d+: min: -1 are there, expected 0$/);
  });
});

Deno.test("a log of many files that was cut passes; one of them missing is found", async () => {
  const root = await Deno.makeTempDir({ prefix: "chronogo-test-" });
  try {
    const folder = `${root}/data`;
    const node = await Node.open({
      disk: new DenoDisk(folder),
      clock: new SystemClock(),
      logger: SILENT_LOGGER,
      logSizes: { fileBytes: 4096, chunkBytes: 1024 },
    });
    await node.router.createCollection(MEASUREMENTS, TIMESERIES);
    await node.router.createCollection(DEVICES, { options: BuiltDocument.EMPTY });
    for (let n = 0; n < 100; n += 10) await node.router.insert(MEASUREMENTS, documents(10, n), true);
    await node.checkpoint();
    for (let n = 0; n < 120; n += 10) await node.router.insert(DEVICES, documents(10, n), true);
    cpSync(folder, `${root}/copy`, { recursive: true });
    await node.close();
    const logs = Array.from(Deno.readDirSync(`${root}/copy/log`), (entry) => entry.name)
      .filter((name) => name.endsWith(".log")).sort();
    assert.ok(logs.length >= 3 && logs[0] !== "0000000001.log", logs.join());
    const good = await checkAfter(`${root}/copy`, () => {});
    assert.equal(good.code, 0, good.lines.join("\n"));
    const kept = `log/${
      logs[0]!.replace(/\d+\.log/, (name) => `${parseInt(name) - 1}`.padStart(10, "0"))
    }.kept`;
    assert.match(good.lines.join("\n"), /^log\/\d+\.kept: \d+ entr(y|ies) in .* bytes, kept for readers$/m);
    const damaged = await checkAfter(`${root}/copy`, (copy) => flip(`${copy}/${kept}`, 200));
    assertFound(damaged, kept, /at byte \d+: /);
    const path = `log/${logs[1]}`;
    const gap = await checkAfter(`${root}/copy`, (copy) => Deno.removeSync(`${copy}/${path}`));
    assertFound(gap, path, /the file is missing, later ones are there/);
    const unstored = await checkAfter(`${root}/copy`, (copy) => Deno.removeSync(`${copy}/${SQLITE}`));
    assertFound(unstored, SQLITE, /it is missing, but the log was cut/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("files and tables that are missing or cut are found and named", async () => {
  await withFolders(async ({ closed }) => {
    const cut = (path: string, bytes: number) => (copy: string) =>
      Deno.truncateSync(`${copy}/${path}`, bytes);
    const remove = (path: string) => (copy: string) => Deno.removeSync(`${copy}/${path}`);
    const sql = (statements: string) => (copy: string) => {
      const database = new DatabaseSync(`${copy}/${SQLITE}`);
      database.exec(statements);
      database.close();
    };
    const found = (change: (copy: string) => void) => checkAfter(closed, change);
    const half = Deno.statSync(`${closed}/${SEGMENT}`).size >> 1;

    assertFound(await found(cut(SEGMENT, half)), SEGMENT, /no whole trailer/);
    assertFound(await found(cut(SEGMENT, 3)), SEGMENT, /no segment/);
    assertFound(await found(remove(SEGMENT)), SEGMENT, /it is missing, but the manifest counts it/);
    assertFound(await found(remove(SERIES)), SERIES, /it is missing, the manifest counts \d+ bytes/);
    assertFound(await found(cut(SERIES, 10)), SERIES, /ends before|does not fit|file ends/);
    assertFound(await found(remove(`${STORE}/CURRENT`)), `${STORE}/CURRENT`, /there is 00000001\.seg/);

    // The manifest without its first record, the table; the flushes behind it stay.
    const untabled = await found((copy) => {
      const bytes = Deno.readFileSync(`${copy}/${MANIFEST}`);
      const end = 16 + 8 + new DataView(bytes.buffer).getUint32(16, true);
      Deno.writeFileSync(
        `${copy}/${MANIFEST}`,
        Uint8Array.of(...bytes.subarray(0, 16), ...bytes.subarray(end)),
      );
    });
    assertFound(untabled, MANIFEST, /it has no table 1, which the catalog names shop\.power/);

    const unmade = await found(remove(SQLITE));
    assert.equal(unmade.code, 0, "the log still holds all that was in it");
    assert.match(unmade.lines.join("\n"), /documents\.sqlite: note: it is missing; the next start makes it/);
    assertFound(await found(sql("DROP TABLE c2; DELETE FROM collections")), SQLITE, /it has no table 2/);
    assertFound(
      await found(sql("DELETE FROM c2 WHERE seq = 3")),
      SQLITE,
      /has 49 documents .* its totals say 50/,
    );
    assertFound(await found(sql("UPDATE c2 SET doc = x'0500' WHERE seq = 3")), SQLITE, /document 3: /);
    assertFound(await found((copy) => flip(`${copy}/${SQLITE}`, 4096)), SQLITE, /malformed|page|btree/i);
  });
});

Deno.test("the log missing after a clean stop is found", async () => {
  await withFolders(async ({ closed }) => {
    const found = await checkAfter(closed, (copy) => Deno.removeSync(`${copy}/${LOG}`));
    assertFound(found, CATALOG, /it counts catalog entries up to 2, but the log up to 0/);
  });
});

Deno.test("inspect shows each kind of file", async () => {
  await withFolders(async ({ closed }) => {
    const shown = async (path: string) => {
      const lines: string[] = [];
      const code = await runInspect(`${closed}/${path}`, (line) => lines.push(line));
      assert.equal(code, 0, lines.join("\n"));
      return lines.join("\n");
    };
    const log = await shown(LOG);
    assert.match(log, /^log file 1: 7 records, /);
    assert.match(log, /at byte +bytes +group +index/);
    assert.match(log, / +32 +44 +log +0 .*positions: none/);
    assert.match(log, /collection 1 created: shop\.power/);
    assert.match(log, /collection 1: 5,000 measurements/);
    assert.match(log, /collection 2: 40 documents/);

    const catalog = await shown(CATALOG);
    assert.match(catalog, /1 +shop\.power +time series +\{"note":"as told"\}/);
    assert.match(catalog, /2 +shop\.devices +documents/);

    const manifest = await shown(MANIFEST);
    assert.match(manifest, /16 +\d+ +table +id 1, timeField "t", metaField "m", spanSeconds 3600/);
    assert.match(manifest, /flush +segment 2, seriesBytes \d+, flushedIndex 4/);
    assert.equal(await shown(`${STORE}/CURRENT`), manifest);

    assert.match(await shown(SERIES), / +0 +\d+ +1 +0 +3 +\{"meta":\{"host":"host-0"\}\}/);

    const segment = await shown(SEGMENT);
    assert.match(segment, /^segment: 1 table, /);
    assert.match(segment, /table 1: 5,000 rows, /);
    assert.match(
      segment,
      /row group at byte 16: 5,000 rows, 3 series \(0 to 2\), 4 columns, 2023-11-14T22:13:20\.000Z to /,
    );
    assert.match(segment, /\(times\) +4096 +0 +0 +times: delta of delta, \w+ +2023-11-14T22:13:20\.000Z/);
    assert.match(segment, /watts +4096 +0 +0 +Double: \w.* 0 +499\.9/);
    assert.match(segment, /state +904 +0 +0 +String: dictionary/);
    assert.match(segment, /mixed +4096 +0 +0 +mixed types: /);
  });
});

Deno.test("inspect says where a damaged file is damaged", async () => {
  await withFolders(async (folders) => {
    const path = `${folders.closed}/${SEGMENT}`;
    flip(path, 20);
    const lines: string[] = [];
    assert.equal(await runInspect(path, (line) => lines.push(line)), 1);
    assert.match(lines.at(-1) ?? "", /^00000001\.seg: at byte 16: checksum 0x/);
    assert.match(lines.join("\n"), /watts/, "what is whole is shown");
  });
});

/** Runs the program with the flags of `start`. */
async function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program = "", ...first] = startCommand();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...first, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the program: exit codes, help, and a folder that a server runs on is refused", async () => {
  await using server = await startServerProcess();
  const refused = await run(["check", server.dataDir]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^chronogo: cannot check \/.*: a server runs on it; stop it/);
  assert.equal(await server.stop(), 0);
  const good = await run(["check", server.dataDir]);
  assert.deepEqual([good.code, good.stderr], [0, ""], good.stdout);
  assert.match(good.stdout, /\nno problems: .*\n$/);
  flip(`${server.dataDir}/${CATALOG}`, 20);
  assert.equal((await run(["check", server.dataDir])).code, 1);
  assert.equal((await run(["inspect", `${server.dataDir}/${CATALOG}`])).code, 1);

  const help = await run(["check", "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^chronogo check DIR\n/);
  for (
    const [args, reason] of [
      [["check"], /check takes one folder: chronogo check DIR/],
      [["check", "/nowhere/at/all"], /cannot check \/nowhere\/at\/all: there is no such folder/],
      [["check", "--fast", "x"], /unknown flag --fast/],
      [["inspect", "a", "b"], /inspect takes one file/],
      [["inspect", `${server.dataDir}/format.json`], /it is no log, catalog/],
      [["inspect", server.dataDir], /it is a folder; inspect takes one file of it, check takes all of it/],
      [["inspect", "/nowhere/at/all"], /cannot inspect \/nowhere\/at\/all: there is no such file/],
    ] as const
  ) {
    const wrong = await run(args);
    assert.equal(wrong.code, 2, args.join(" "));
    assert.match(wrong.stderr, reason);
  }
});

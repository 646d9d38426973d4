/**
 * Power cuts below a real process: a library that is preloaded into the server notes every change to its data folder and
 * every sync (power_cut.c); after a kill, the folder is made anew as a disk may leave it that kept what was synced and
 * of the rest what it pleased.
 *
 *     await using power = await PowerSupply.connect();
 *     const server = await startServerProcess({ dataDir: power.dataDir, env: power.environment() });
 *     … load … await server.kill9();
 *     power.cut(random);                       // the folder is now what the power cut left
 *
 * What may be left is what the simulated disk of `src/io/memory_disk.ts` leaves: each change of a file since its last
 * sync is kept, lost or torn, each change of a folder's names since that folder's last sync is kept or lost.
 */
import type { Random } from "../../src/base/mod.ts";

const SOURCE = new URL("./power_cut.c", import.meta.url).pathname;
const RECORD_HEAD_BYTES = 32;

/** The kinds of record in the journal, as power_cut.c numbers them. */
const Kind = {
  Write: 1,
  Truncate: 2,
  Create: 3,
  Rename: 4,
  Unlink: 5,
  MakeDirectory: 6,
  RemoveDirectory: 7,
  Sync: 8,
  SyncNames: 9,
} as const;

interface JournalRecord {
  /** Its number. */
  readonly number: number;
  readonly kind: number;
  readonly inode: number;
  readonly a: number;
  readonly b: number;
  readonly bytes: Uint8Array;
}

/** What a power cut took. */
export interface CutSummary {
  /** Changes of files and of names that no sync covered. */
  readonly unsynced: number;
  /** How many of them are gone or torn. */
  readonly lost: number;
}

/** Decides over each change that was not synced; "lose" loses all of them. */
export type Fate = Random | "lose";

export class PowerSupply implements AsyncDisposable {
  private lives = 0;

  private constructor(private readonly folder: string) {}

  /** @throws Error when there is no C compiler */
  static async connect(): Promise<PowerSupply> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "chronogo-power-" }));
    const supply = new PowerSupply(folder);
    try {
      await compile(supply.library);
    } catch (error) {
      await supply[Symbol.asyncDispose]();
      throw error;
    }
    Deno.mkdirSync(supply.dataDir);
    return supply;
  }

  /** The data folder, at the same place all the time. */
  get dataDir(): string {
    return `${this.folder}/data`;
  }

  /**
   * What a process needs in its environment for its next life.
   *
   * @param deceive patterns of paths below the folder whose syncs do nothing; a folder's path ends with "/"
   */
  environment(deceive: readonly string[] = []): Record<string, string> {
    this.lives++;
    Deno.mkdirSync(this.notes);
    return {
      LD_PRELOAD: this.library,
      POWER_CUT_DATA: this.dataDir,
      POWER_CUT_NOTES: this.notes,
      POWER_CUT_DECEIVE: deceive.join(":"),
    };
  }

  /** Makes the folder what a power cut may have left of it. The process must have ended. */
  cut(fate: Fate): CutSummary {
    const journal = readJournal(`${this.notes}/journal`);
    const left = new LeftBehind(this.dataDir, this.notes, journal, fate);
    const remade = `${this.folder}/remade`;
    left.writeTo(remade);
    Deno.removeSync(this.dataDir, { recursive: true });
    Deno.removeSync(this.notes, { recursive: true });
    Deno.renameSync(remade, this.dataDir);
    return { unsynced: left.unsynced, lost: left.lost };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  private get library(): string {
    return `${this.folder}/power_cut.so`;
  }

  private get notes(): string {
    return `${this.folder}/notes-${this.lives}`;
  }
}

async function compile(library: string): Promise<void> {
  const args = ["-shared", "-fPIC", "-O2", "-Wall", "-o", library, SOURCE, "-ldl", "-lpthread"];
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("cc", { args, stderr: "piped" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error('the power cut test needs a C compiler as "cc" (Debian: apt-get install gcc libc6-dev)');
  }
  if (!output.success) {
    throw new Error(`cannot compile ${SOURCE}:\n${new TextDecoder().decode(output.stderr)}`);
  }
}

/** @returns the records; a last one that the kill tore is no record: the change that it announced was not made */
function readJournal(path: string): JournalRecord[] {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  const records: JournalRecord[] = [];
  for (let at = 0; at + RECORD_HEAD_BYTES <= bytes.length;) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) break;
    records.push({
      number: records.length,
      kind: view.getUint32(at + 4, true),
      inode: Number(view.getBigUint64(at + 8, true)),
      a: Number(view.getBigUint64(at + 16, true)),
      b: Number(view.getBigUint64(at + 24, true)),
      bytes: bytes.subarray(at + RECORD_HEAD_BYTES, end),
    });
    at = end;
  }
  return records;
}

/** A folder's state after the cut: names, and the files' bytes. */
class LeftBehind {
  unsynced = 0;
  lost = 0;
  /** Path to inode; a folder has 0. */
  private readonly names = new Map<string, number>();
  private readonly changesOf = new Map<number, JournalRecord[]>();

  constructor(
    private readonly dataDir: string,
    private readonly notes: string,
    private readonly journal: readonly JournalRecord[],
    private readonly fate: Fate,
  ) {
    this.walk("");
    this.cutNames();
    this.gatherChanges();
  }

  /** Writes the folder as the cut left it. */
  writeTo(folder: string): void {
    Deno.mkdirSync(folder);
    const paths = [...this.names.keys()].sort();
    for (const path of paths) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (parent !== "" && this.names.get(parent) !== 0) continue;
      const inode = this.names.get(path) ?? 0;
      if (inode === 0) Deno.mkdirSync(`${folder}/${path}`);
      else Deno.writeFileSync(`${folder}/${path}`, this.contentOf(path, inode));
    }
  }

  private walk(path: string): void {
    for (const entry of Deno.readDirSync(`${this.dataDir}/${path}`)) {
      const name = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory) {
        this.names.set(name, 0);
        this.walk(name);
      } else {
        this.names.set(name, Deno.statSync(`${this.dataDir}/${name}`).ino ?? 0);
      }
    }
  }

  /** Takes back, the newest first, what no sync of the folder covers, and makes again what is kept. */
  private cutNames(): void {
    const coveredBefore = new Map<string, number>();
    for (const { kind, a, bytes } of this.journal) {
      if (kind === Kind.SyncNames) coveredBefore.set(textOf(bytes), a);
    }
    const open = this.journal.filter((record) => {
      const path = pathsOf(record)[0];
      if (path === undefined) return false;
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      return record.number >= (coveredBefore.get(parent) ?? 0);
    });
    for (const record of open.toReversed()) this.undoName(record);
    for (const record of open) {
      if (this.keeps()) this.redoName(record);
    }
  }

  private undoName(record: JournalRecord): void {
    const [path = "", to = ""] = pathsOf(record);
    switch (record.kind) {
      case Kind.Create:
      case Kind.MakeDirectory:
        this.names.delete(path);
        break;
      case Kind.Unlink:
      case Kind.RemoveDirectory:
        this.names.set(path, record.inode);
        break;
      case Kind.Rename:
        this.names.set(path, record.inode);
        if (record.a === 0) this.names.delete(to);
        else this.names.set(to, record.a);
    }
  }

  private redoName(record: JournalRecord): void {
    const [path = "", to = ""] = pathsOf(record);
    switch (record.kind) {
      case Kind.Create:
      case Kind.MakeDirectory:
        this.names.set(path, record.inode);
        break;
      case Kind.Unlink:
      case Kind.RemoveDirectory:
        this.names.delete(path);
        break;
      case Kind.Rename:
        if (this.names.get(path) !== record.inode) return;
        this.names.delete(path);
        this.names.set(to, record.inode);
    }
  }

  /** Changes of each file's bytes that no sync covers, in order. */
  private gatherChanges(): void {
    const coveredBefore = new Map<number, number>();
    for (const { kind, inode, a } of this.journal) {
      if (kind === Kind.Sync) coveredBefore.set(inode, a);
    }
    for (const record of this.journal) {
      if (record.kind !== Kind.Write && record.kind !== Kind.Truncate) continue;
      if (record.number < (coveredBefore.get(record.inode) ?? 0)) continue;
      const changes = this.changesOf.get(record.inode) ?? [];
      changes.push(record);
      this.changesOf.set(record.inode, changes);
    }
  }

  private contentOf(path: string, inode: number): Uint8Array {
    const kept = `${this.notes}/${inode}`;
    const now = Deno.readFileSync(existsSync(kept) ? kept : `${this.dataDir}/${path}`);
    const changes = this.changesOf.get(inode) ?? [];
    const content = new FileBytes(now);
    for (const change of changes.toReversed()) undoChange(content, change);
    for (const change of changes) {
      if (this.keeps()) redoChange(content, change);
      else if (this.fate !== "lose" && change.kind === Kind.Write) tear(content, change, this.fate);
    }
    return content.bytes();
  }

  private keeps(): boolean {
    this.unsynced++;
    const keeps = this.fate !== "lose" && this.fate() < 0.5;
    if (!keeps) this.lost++;
    return keeps;
  }
}

/** The paths that a change of names is about: one, or two of a rename. Nothing for other records. */
function pathsOf({ kind, bytes }: JournalRecord): string[] {
  return kind >= Kind.Create && kind <= Kind.RemoveDirectory ? textOf(bytes).split("\0") : [];
}

function undoChange(content: FileBytes, { kind, a, b, bytes }: JournalRecord): void {
  if (kind === Kind.Write) {
    content.write(oldBytesOf(bytes), a);
    content.resize(b);
  } else {
    content.resize(b);
    content.write(bytes, a);
  }
}

function redoChange(content: FileBytes, { kind, a, bytes }: JournalRecord): void {
  if (kind === Kind.Write) content.write(newBytesOf(bytes), a);
  else content.resize(a);
}

/** The first or the last part of a write, cut at any byte; perhaps nothing. */
function tear(content: FileBytes, { a, bytes }: JournalRecord, random: Random): void {
  const written = newBytesOf(bytes);
  const cut = Math.floor(random() * (written.length + 1));
  const fate = random();
  if (fate < 1 / 3) content.write(written.subarray(0, cut), a);
  else if (fate < 2 / 3) content.write(written.subarray(cut), a + cut);
}

function oldBytesOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(4, 4 + lengthOf(bytes));
}

function newBytesOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(4 + lengthOf(bytes));
}

function lengthOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function existsSync(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Bytes that are overwritten, grow with zeros between and are cut off, as a file's. */
class FileBytes {
  private buffer: Uint8Array;
  private size: number;

  constructor(bytes: Uint8Array) {
    this.buffer = bytes;
    this.size = bytes.length;
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.size);
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length);
    this.buffer.set(bytes, offset);
  }

  resize(size: number): void {
    if (size > this.buffer.length) {
      const grown = new Uint8Array(Math.max(size, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, this.size));
      this.buffer = grown;
    }
    if (size < this.size) this.buffer.fill(0, size, this.size);
    this.size = size;
  }
}

/**
 * A real server on a file system that is really full: writes are refused in MongoDB's words, reads go on, and once there
 * is room writes go on as well; nothing that was acknowledged is lost, then or after a restart.
 *
 * The file system is a small tmpfs, which takes root, or a user namespace of its own (unshare) for everybody else.
 */
import assert from "node:assert/strict";
import { checkFolder } from "../support/check_folder.ts";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";
import { Ledger } from "./ledger.ts";

const DATABASE = "full";
const FILE_SYSTEM_BYTES = 48 * 1024 * 1024;
const OUT_OF_DISK_SPACE = 14031;
const BATCH_ROWS = 200;
const PADDING = "x".repeat(500);

class SmallFileSystem implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** @throws Error with what `mount` says where that may not be */
  static async mount(sizeBytes: number): Promise<SmallFileSystem> {
    const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "chronogo-full-" }));
    await command("mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path);
    return new SmallFileSystem(path);
  }

  /** Takes all room that is left. */
  fill(): void {
    using file = Deno.openSync(this.ballast, { write: true, create: true, append: true });
    for (const size of [1024 * 1024, 4096]) {
      try {
        for (;;) file.writeSync(new Uint8Array(size));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      }
    }
  }

  free(): void {
    Deno.removeSync(this.ballast);
  }

  private get ballast(): string {
    return `${this.path}/ballast`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command("umount", this.path);
    await Deno.remove(this.path);
  }
}

async function command(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

class Writer {
  readonly ledger: Ledger;
  private next = 1;

  constructor(readonly collection: string) {
    this.ledger = new Ledger(collection);
  }

  /** Sends one batch. @returns the code of its refusal; undefined when it was acknowledged */
  async insert(client: WireClient): Promise<number | undefined> {
    const documents = Array.from({ length: BATCH_ROWS }, () => {
      const n = this.next++;
      return { _id: n, n, t: new Date(1_700_000_000_000 + n), m: n % 3, v: 0, text: PADDING + Math.random() };
    });
    const reply = await client.command({ insert: this.collection, documents, $db: DATABASE });
    const change = new Map(documents.map(({ n }) => [n, 0]));
    const failure = refusalOf(reply);
    if (failure === undefined) this.ledger.acknowledge(change);
    else this.ledger.acknowledge(new Map(documents.map(({ n }) => [n, undefined])));
    return failure;
  }

  async check(client: WireClient, when: string): Promise<void> {
    const documents = await client.documents({
      find: this.collection,
      projection: { n: 1, v: 1 },
      batchSize: 1_000_000,
      $db: DATABASE,
    });
    this.ledger.check(documents.map((document) => [Number(document["n"]), Number(document["v"])]), when);
  }
}

/** The code of an error, and that it has MongoDB's shape. */
function refusalOf(reply: Document): number | undefined {
  if (Number(reply["ok"]) === 1 && !("writeErrors" in reply)) return undefined;
  const error = reply["writeErrors"]?.[0] ?? reply;
  assert.equal(typeof error["errmsg"], "string", JSON.stringify(reply));
  return Number(error["code"]);
}

Deno.test("a full disk refuses writes, keeps reading, and goes on when there is room", async () => {
  await using disk = await SmallFileSystem.mount(FILE_SYSTEM_BYTES);
  const dataDir = `${disk.path}/data`;
  const writers = [new Writer("plain"), new Writer("series")];
  {
    await using server = await startServerProcess({ dataDir });
    const client = await WireClient.connect(server.port);
    await client.must({ create: "series", timeseries: { timeField: "t", metaField: "m" }, $db: DATABASE });
    const insertAll = async () => {
      for (const writer of writers) assert.equal(await writer.insert(client), undefined);
    };
    const checkAll = async (when: string) => {
      for (const writer of writers) await writer.check(client, when);
    };
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) await insertAll();
      disk.fill();
      // What was allocated ahead may still take some.
      for (const writer of writers) {
        let code: number | undefined;
        for (let batch = 0; batch < 100 && code === undefined; batch++) code = await writer.insert(client);
        assert.equal(code, OUT_OF_DISK_SPACE, writer.collection);
      }
      const checkpoint = refusalOf(await client.command({ fsync: 1 }));
      assert.ok(checkpoint === OUT_OF_DISK_SPACE || checkpoint === undefined, `fsync: ${checkpoint}`);
      await checkAll("while the disk is full");
      disk.free();
      await insertAll();
      await checkAll("when there is room again");
      await client.must({ fsync: 1 });
      await checkAll("after a checkpoint");
    }
    disk.fill();
    for (const writer of writers) {
      while (await writer.insert(client) === undefined) {
        // Until nothing goes in any more.
      }
    }
    client.close();
    await server.kill9();
    disk.free();
  }
  await using server = await startServerProcess({ dataDir });
  const client = await WireClient.connect(server.port);
  for (const writer of writers) {
    await writer.check(client, "after a kill on a full disk");
    assert.equal(await writer.insert(client), undefined);
  }
  client.close();
  assert.equal(await server.stop(), 0);
  await checkFolder(dataDir, "at the end");
});

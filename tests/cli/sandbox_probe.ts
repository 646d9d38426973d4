/**
 * Runs inside a Worker that is started with exactly the server's permissions, tries what the server must and must not
 * be able to do, and reports `allowed`, or the name of the error, for each.
 */
import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";

interface Probe {
  readonly dataDir: string;
  /** A file outside the data folder that exists. */
  readonly otherFile: string;
  /** A port on 127.0.0.1 that the server may use, and one that listens but is not the server's. */
  readonly ownPort: number;
  readonly otherPort: number;
}

const worker = globalThis as unknown as {
  postMessage(results: Record<string, string>): void;
  onmessage: (event: MessageEvent<Probe>) => void;
};

worker.onmessage = async ({ data: probe }) => {
  const { dataDir, otherFile, ownPort, otherPort } = probe;
  const besideDataDir = `${dataDir}-beside`;
  const attempts: Record<string, () => unknown> = {
    "write and sync a file in the data folder": () => {
      const descriptor = fs.openSync(`${dataDir}/a`, "w+");
      fs.writeSync(descriptor, new Uint8Array(3), 0, 3, 0);
      fs.fdatasyncSync(descriptor);
      fs.closeSync(descriptor);
    },
    "read a file in the data folder": () => Deno.readFileSync(`${dataDir}/a`),
    "open SQLite in the data folder": () => {
      const database = new DatabaseSync(`${dataDir}/b.sqlite`);
      database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a)");
      database.close();
    },
    "follow a link that the owner has put there": () => Deno.readTextFileSync(`${dataDir}/link`),
    "listen on its own port": () => Deno.listen({ hostname: "127.0.0.1", port: ownPort }).close(),

    "read another file": () => Deno.readTextFileSync(otherFile),
    "read another file through node:fs": () => fs.readFileSync(otherFile),
    "read out of the data folder by ..": () => Deno.readTextFileSync(`${dataDir}/../other`),
    "read /proc/self/environ": () => Deno.readTextFileSync("/proc/self/environ"),
    "read its own program": () => Deno.readTextFileSync(new URL("../../main.ts", import.meta.url)),
    "write beside the data folder": () => Deno.writeTextFileSync(besideDataDir, ""),
    "write another file through node:fs": () => fs.writeFileSync(otherFile, ""),
    "open SQLite elsewhere": () => new DatabaseSync(`${besideDataDir}.sqlite`),
    "attach SQLite elsewhere": () => {
      const database = new DatabaseSync(`${dataDir}/c.sqlite`);
      try {
        database.exec(`ATTACH '${besideDataDir}.attached' AS other; CREATE TABLE other.t (a)`);
      } finally {
        database.close();
      }
    },
    "make a link out of the data folder": () => Deno.symlinkSync(otherFile, `${dataDir}/own-link`),
    "listen on another port": () => Deno.listen({ hostname: "127.0.0.1", port: otherPort + 1 }).close(),
    "connect to another port": async () =>
      (await Deno.connect({ hostname: "127.0.0.1", port: otherPort })).close(),
    "fetch from another port": () => fetch(`http://127.0.0.1:${otherPort}/`),
    "resolve a name": () => Deno.resolveDns("localhost", "A"),
    "run a program": () => new Deno.Command("true").outputSync(),
    "load a library": () => Deno.dlopen("libc.so.6", {}),
    "read the environment": () => Deno.env.get("HOME"),
    "read all of the environment": () => Deno.env.toObject(),
    "change the environment": () => Deno.env.set("CHRONOGO_X", "1"),
    "ask the system": () => Deno.hostname(),
    "import a file by a computed name": () => import(`file://${otherFile}.ts`),
    "import from a URL": () => import(`http://127.0.0.1:${otherPort}/x.ts`),
    "give a Worker more rights": () =>
      new Worker(new URL("./sandbox_probe.ts", import.meta.url), {
        type: "module",
        deno: { permissions: { read: true } },
      }),
  };
  const results: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) results[name] = await outcome(attempt);
  worker.postMessage(results);
};

async function outcome(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "allowed";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

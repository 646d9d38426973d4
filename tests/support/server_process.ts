/**
 * Starts the server as a process of its own, the way `deno task start` does: `main.ts` with exactly the environment and
 * flags that the task in `deno.json` has, on free ports of loopback, in a temporary folder.
 *
 *     await using server = await startServerProcess();
 *     const client = new MongoClient(server.uri);
 */
import { startEnvironment, startFlags } from "../../scripts/start_flags.ts";

export interface ServerProcessOptions {
  /** The data folder; a temporary one when absent, removed at the end. */
  readonly dataDir?: string;
  /** More flags, after the ones that this module gives; a repeated flag wins. */
  readonly args?: readonly string[];
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program and its first arguments, instead of Deno and `main.ts`: the executable. */
  readonly command?: readonly string[];
  /** The folder it runs in; the repository's when absent. */
  readonly cwd?: string;
  /** How long it may take to be ready, in milliseconds. */
  readonly readyWithinMs?: number;
}

/** A server that is ready. */
export interface ServerProcess extends AsyncDisposable {
  /** `mongodb://127.0.0.1:<port>`. */
  readonly uri: string;
  /** The MongoDB port. */
  readonly port: number;
  readonly httpPort: number;
  readonly pid: number;
  readonly dataDir: string;
  /** All that it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal and returns at once. */
  signal(signal: Deno.Signal): void;
  /** Stops it with SIGTERM and returns its exit code; the folder stays. */
  stop(): Promise<number>;
  /** Ends it with SIGKILL, as a crash would; the folder stays. */
  kill9(): Promise<void>;
  /** Resolves with the exit code when it ends, however it does. */
  readonly ended: Promise<number>;
}

/** What a server that did not become ready left behind. */
export class ServerDidNotStart extends Error {
  override readonly name = "ServerDidNotStart";

  constructor(readonly exitCode: number, readonly stdout: string, readonly stderr: string) {
    super(`the server ended with ${exitCode}:\n${stdout}${stderr}`);
  }
}

const READY_WITHIN_MS = 30_000;
const REPOSITORY = new URL("../../", import.meta.url).pathname;

/**
 * Starts a server and waits until it serves.
 *
 * @throws ServerDidNotStart when it ends instead
 */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const ownFolder = options.dataDir === undefined
    ? await Deno.makeTempDir({ prefix: "chronogo-test-" })
    : undefined;
  const dataDir = options.dataDir ?? `${ownFolder}/data`;
  const [program, ...firstArgs] = options.command ?? startCommand();
  const child = new Deno.Command(program ?? "", {
    args: [
      ...firstArgs,
      ...["--data-dir", dataDir, "--mongo-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"],
      ...(options.args ?? []),
    ],
    cwd: options.cwd ?? REPOSITORY,
    env: { NO_COLOR: "1", ...startEnvironment(), ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const ended = Promise.all([child.status, output.done, errors.done]).then(([status]) => status.code);
  const removeFolder = async () => {
    if (ownFolder !== undefined) await Deno.remove(ownFolder, { recursive: true });
  };
  const end = async (signal: Deno.Signal): Promise<number> => {
    send(child, signal);
    return await ended;
  };

  const ready = await Promise.race([
    output.seen(/^ready$/m).then(() => true),
    ended.then(() => false),
    after(options.readyWithinMs ?? READY_WITHIN_MS).then(() => false),
  ]);
  if (!ready) {
    const code = await end("SIGKILL");
    await removeFolder();
    throw new ServerDidNotStart(code, output.text(), errors.text());
  }
  const port = portIn(output.text(), "MongoDB wire");
  return {
    uri: `mongodb://127.0.0.1:${port}`,
    port,
    httpPort: portIn(output.text(), "HTTP"),
    pid: child.pid,
    dataDir,
    stdout: output.text,
    stderr: errors.text,
    signal: (signal) => send(child, signal),
    stop: () => end("SIGTERM"),
    kill9: async () => void await end("SIGKILL"),
    ended,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      await removeFolder();
    },
  };
}

/** Deno, its flags and `main.ts`, as the task `start` has them. */
export function startCommand(): readonly string[] {
  return [Deno.execPath(), "run", ...startFlags(), `${REPOSITORY}main.ts`];
}

function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

interface Collected {
  text(): string;
  /** Resolves when the text matches; never when the stream ends without. */
  seen(pattern: RegExp): Promise<void>;
  readonly done: Promise<void>;
}

function collect(stream: ReadableStream<Uint8Array>): Collected {
  let text = "";
  const waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];
  const check = () => waiting.filter(({ pattern }) => pattern.test(text)).forEach(({ resolve }) => resolve());
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      check();
    }
  })();
  return {
    text: () => text,
    seen: (pattern) =>
      new Promise((resolve) => {
        waiting.push({ pattern, resolve });
        check();
      }),
    done,
  };
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, delayMs)));
}

function portIn(banner: string, name: string): number {
  const port = new RegExp(`^ *${name}: .*:(\\d+)`, "m").exec(banner)?.[1];
  if (port === undefined) throw new Error(`no port of "${name}" in the banner:\n${banner}`);
  return Number(port);
}

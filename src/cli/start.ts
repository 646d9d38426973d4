/**
 * The start-up isolate: reads the settings, prepares the data folder, starts the server in a sandboxed Worker, prints
 * the banner and turns signals into a clean stop. No client's byte ever reaches it.
 */
import { bannerLines } from "./banner.ts";
import { firstLine } from "./listen.ts";
import { readHost } from "./host.ts";
import type { ServerOrder, ServerReport, ServerStart } from "./message.ts";
import { dropStartupPermissions, sandboxPermissions } from "./sandbox.ts";
import type { Settings } from "./settings.ts";
import { StartError } from "./start_error.ts";

/**
 * One Ctrl-C often arrives more than once: the terminal sends it to the whole foreground group, and npx and
 * `deno task` forward it again. The same signal within this time is the same wish.
 */
const SAME_SIGNAL_MS = 500;

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Runs the server until it ends; returns the exit code. @throws StartError when it cannot start or go on */
export async function runServer(requested: Settings, argv: readonly string[]): Promise<number> {
  const settings = { ...requested, dataDir: prepareDataDir(requested.dataDir) };
  const start = { settings, host: readHost(readIfThere), argv };
  const worker = startWorker(settings);
  const removeListeners = stopOnSignals(worker);
  try {
    return await serve(worker, start);
  } finally {
    removeListeners();
    worker.terminate();
  }
}

/** Makes the folder and returns its real path, which is what the sandbox compares with. */
function prepareDataDir(path: string): string {
  try {
    Deno.mkdirSync(path, { recursive: true });
    return Deno.realPathSync(path);
  } catch (error) {
    throw new StartError(`cannot use data folder ${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  // What Deno says of /proc, /sys and /dev, to which nobody gave it rights, speaks of a flag that is not ours.
  if (error instanceof Deno.errors.AlreadyExists) return "it is a file, not a folder";
  if (error instanceof Deno.errors.NotCapable) return "system folders cannot hold data";
  return error instanceof Error ? firstLine(error.message) : String(error);
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}

function startWorker(settings: Settings): Worker {
  // In a bundle the Worker is a file beside this one, with the extension of a bundle.
  const file = import.meta.url.endsWith(".ts") ? "./server_worker.ts" : "./server_worker.js";
  return new Worker(new URL(file, import.meta.url), {
    type: "module",
    name: "server",
    deno: {
      permissions: sandboxPermissions({
        dataDir: settings.dataDir,
        addresses: [settings.mongo, settings.http],
      }),
    },
  });
}

/** Follows the server's reports until it ends. */
function serve(worker: Worker, start: ServerStart): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: report }: MessageEvent<ServerReport>) => {
      if (report.kind === "loaded") {
        // Reading its program took this isolate's rights; from here on nobody needs them.
        dropStartupPermissions().then(() => order(worker, { kind: "start", start }), reject);
      } else if (report.kind === "started") {
        console.log(bannerLines(start.settings, report.started).join("\n"));
      } else if (report.kind === "stopped") {
        resolve(0);
      } else {
        reject(new StartError(report.message, report.exitCode === 2 ? 2 : 1));
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new StartError(`the server stopped on an internal error: ${firstLine(event.message)}`));
    };
  });
}

function stopOnSignals(worker: Worker): () => void {
  let first: { readonly signal: StopSignal; readonly atMs: number } | undefined;
  const listenerOf = (signal: StopSignal) => () => {
    const nowMs = performance.now();
    if (first === undefined) {
      first = { signal, atMs: nowMs };
      console.error(`chronogo: ${signal}: stopping; once more stops at once`);
      order(worker, { kind: "stop" });
    } else if (signal !== first.signal || nowMs - first.atMs > SAME_SIGNAL_MS) {
      Deno.exit(SIGNAL_EXIT_CODES[signal]);
    }
  };
  const listeners = { SIGINT: listenerOf("SIGINT"), SIGTERM: listenerOf("SIGTERM") };
  Deno.addSignalListener("SIGINT", listeners.SIGINT);
  Deno.addSignalListener("SIGTERM", listeners.SIGTERM);
  return () => {
    Deno.removeSignalListener("SIGINT", listeners.SIGINT);
    Deno.removeSignalListener("SIGTERM", listeners.SIGTERM);
  };
}

function order(worker: Worker, message: ServerOrder): void {
  worker.postMessage(message);
}

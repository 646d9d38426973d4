/**
 * The server's Worker. It is started with no more rights than `sandboxPermissions` names, gets one order to start and
 * one to stop, and reports back. All that a client's bytes can reach runs here.
 */
import { CommandError, CorruptionError, Logger } from "../base/mod.ts";
import { DataFolderError } from "../cluster/mod.ts";
import { LogRing } from "../command/mod.ts";
import { SystemClock } from "../io/mod.ts";
import { firstLine } from "./listen.ts";
import type { ServerOrder, ServerReport, ServerStart } from "./message.ts";
import { type RunningServer, startServer } from "./server.ts";
import { StartError } from "./start_error.ts";

const worker = globalThis as unknown as {
  postMessage(report: ServerReport): void;
  onmessage: (event: MessageEvent<ServerOrder>) => void;
};
const encoder = new TextEncoder();
let server: Promise<RunningServer> | undefined;

worker.onmessage = ({ data: order }) => {
  if (order.kind === "start") {
    server = start(order.start);
    // A failed start is reported there; this only keeps it from being reported twice.
    server.catch(() => {});
  } else {
    void stop();
  }
};

// The stack goes to the log; the start-up isolate then says in one line that the server is gone.
globalThis.addEventListener("unhandledrejection", (event) => writeLine(stackOf(event.reason)));
globalThis.addEventListener("error", (event) => writeLine(stackOf(event.error)));

worker.postMessage({ kind: "loaded" });

async function start(order: ServerStart): Promise<RunningServer> {
  const clock = new SystemClock();
  const logRing = new LogRing();
  const sink = (line: string) => {
    logRing.add(line);
    writeLine(line);
  };
  const logger = new Logger("server", order.settings.logLevel, sink, () => clock.nowMs());
  try {
    const running = await startServer(order, { clock, logger, logRing, onFatal });
    worker.postMessage({ kind: "started", started: running.started });
    return running;
  } catch (error) {
    reportFailure(error, order.settings.dataDir, logger);
    throw error;
  }
}

/** One of our own invariants broke: nothing that is in memory can be trusted any more, what is on disk can. */
function onFatal(error: unknown): void {
  writeLine(stackOf(error));
  worker.postMessage({
    kind: "failed",
    message: `stopped on an internal error: ${messageOf(error)}`,
    exitCode: 1,
  });
}

async function stop(): Promise<void> {
  try {
    await (await server)?.stop();
  } catch (error) {
    if (!(error instanceof StartError || saysWhatIsWrong(error))) writeLine(stackOf(error));
    worker.postMessage({ kind: "failed", message: `did not stop cleanly: ${messageOf(error)}`, exitCode: 1 });
    return;
  }
  worker.postMessage({ kind: "stopped" });
}

function reportFailure(error: unknown, dataDir: string, logger: Logger): void {
  if (error instanceof StartError) {
    worker.postMessage({ kind: "failed", message: error.message, exitCode: error.exitCode });
    return;
  }
  if (!saysWhatIsWrong(error)) logger.error("start failed", { stack: stackOf(error) });
  worker.postMessage({
    kind: "failed",
    message: `cannot serve ${dataDir}: ${messageOf(error)}`,
    exitCode: 1,
  });
}

/** True for what the folder or the machine has wrong; of all else the stack is worth a line in the log. */
function saysWhatIsWrong(error: unknown): boolean {
  const isSystemError = error instanceof Error && "code" in error && typeof error.code === "string";
  return isSystemError || error instanceof DataFolderError || error instanceof CorruptionError ||
    error instanceof CommandError;
}

function messageOf(error: unknown): string {
  return firstLine(error instanceof Error ? error.message : String(error));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function writeLine(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(`${line}\n`));
  } catch (error) {
    // Whoever read the log is gone: that is no reason to stop serving, and there is nobody left to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Runs typical commands in the quiet after the start. V8 compiles a function when it first runs, several hundred for a
 * query: the first client would wait for that much longer than for its answer.
 *
 * The commands are asked of a second server, whose disk and network are in memory: the same code, but nothing of it is in
 * the data, the counters, the log. It takes one command at a time, none while clients ask, and is closed at the end. Clients
 * that ask on and on have compiled by themselves what they use: it gives way to them for good.
 */
import { type Logger, MemoryBudget, SILENT_LOGGER } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import { Node } from "../cluster/mod.ts";
import { LogRing, type Services } from "../command/mod.ts";
import { type Clock, type Connection, MemoryDisk, MemoryNetwork } from "../io/mod.ts";
import { MongoServer } from "../server/mod.ts";
import { beginReply, endReply, FrameReader, parseMessage } from "../wire/mod.ts";
import { warmUpCommands } from "./warm_up_commands.ts";

/** A process that lives shorter, and what a client does at once, go undisturbed. */
const DELAY_MS = 200;
/** Between two commands, each of which takes some milliseconds. */
const REST_MS = 8;
/** As many moments in a row with requests end it. */
const MAX_BUSY_MOMENTS = 100;
const ADDRESS = { hostname: "127.0.0.1", port: 1 };
const MEMORY_BYTES = 16 * 1024 * 1024;
const LOG_SIZES = { fileBytes: 64 * 1024, chunkBytes: 4 * 1024 };

export interface CommandWarmUpOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the server's own commands know; the router and all that keeps a record are replaced. */
  readonly services: Services;
  /** Requests of clients so far. */
  readonly requests: () => number;
}

export class CommandWarmUp {
  private running: Promise<void> | undefined;
  private stopped = false;
  /** Ends the pause that is on. */
  private wake: () => void = () => {};

  constructor(private readonly options: CommandWarmUpOptions) {}

  start(): void {
    this.running = this.run().catch((error) => this.warn(error));
  }

  /** Resolves when it is over, whether it came to its end or not. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    await this.pause(DELAY_MS);
    if (!await this.isQuiet()) return;
    const memory = new MemoryBudget(MEMORY_BYTES);
    const node = await Node.open({
      disk: new MemoryDisk(),
      documentsPath: ":memory:",
      clock: this.options.clock,
      logger: SILENT_LOGGER,
      logSizes: LOG_SIZES,
      memory,
    });
    const network = new MemoryNetwork();
    const server = MongoServer.listen({
      network,
      ...ADDRESS,
      insecure: false,
      services: {
        ...this.options.services,
        port: ADDRESS.port,
        router: node.router,
        memory,
        logger: SILENT_LOGGER,
        logLines: new LogRing(),
        onFatal: (error) => this.warn(error),
      },
      logger: SILENT_LOGGER,
    });
    try {
      await this.ask(network.connect(ADDRESS.port), node);
    } finally {
      await server.stop();
      await node.close();
    }
  }

  private async ask(connection: Connection, node: Node): Promise<void> {
    const { clock, logger } = this.options;
    const startedMs = clock.monotonicMs();
    const frames = new FrameReader();
    let commands = 0;
    for (const command of warmUpCommands(clock.nowMs())) {
      if (!await this.isQuiet()) return;
      if (command === "flush") {
        await node.checkpoint();
        continue;
      }
      const reply = await roundTrip(connection, frames, command);
      if (reply?.get("ok") !== 1 || reply.has("writeErrors")) {
        throw new Error(`${command.names()[0]}: ${reply?.get("errmsg")}`);
      }
      commands++;
    }
    logger.debug("typical commands are compiled", {
      commands,
      ms: Math.round(clock.monotonicMs() - startedMs),
    });
  }

  /** Waits for a moment without requests. @returns false where it is to end */
  private async isQuiet(): Promise<boolean> {
    for (let moments = 0; moments < MAX_BUSY_MOMENTS && !this.stopped; moments++) {
      const before = this.options.requests();
      await this.pause(REST_MS);
      if (this.options.requests() === before) return !this.stopped;
    }
    return false;
  }

  private pause(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }

  private warn(error: unknown): void {
    this.options.logger.warn("stopped warming up", { error: String(error) });
  }
}

/** Asks a command and waits for its answer; undefined where there is none. */
async function roundTrip(
  connection: Connection,
  frames: FrameReader,
  command: Document,
): Promise<Document | undefined> {
  // On the wire a question looks like an answer to nothing.
  const writer = beginReply("msg");
  command.writeTo(writer);
  await connection.write(
    endReply(writer, { requestId: 1, responseTo: 0, protocol: "msg", moreToCome: false, checksum: false }),
  );
  let bytes = frames.next();
  while (bytes === undefined) {
    const count = await connection.read(frames.target());
    if (count === null) return undefined;
    frames.filled(count);
    bytes = frames.next();
  }
  const message = parseMessage(bytes);
  return message.kind === "command" ? message.body : undefined;
}

/** The MongoDB listener: accepts connections up to a limit, serves each, and stops in order. */
import { type Logger, SHUTDOWN_GRACE_MS } from "../base/mod.ts";
import { ServerState, type Services } from "../command/mod.ts";
import { type Connection, isLoopback, type Listener, type Network, type PeerAddress } from "../io/mod.ts";
import { MessageMemory } from "./message_memory.ts";
import { ReplyBuffers } from "./reply_buffers.ts";
import { ServerConnection } from "./connection.ts";

/** After a failure to accept, such as too many open files. */
const ACCEPT_RETRY_MS = 100;

export interface ServerOptions {
  readonly network: Network;
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Serve clients of other machines too, though there is no access control. */
  readonly insecure: boolean;
  readonly services: Services;
  readonly logger: Logger;
}

/** A listening server. */
export class MongoServer {
  private readonly connections = new Set<ServerConnection>();
  private readonly serving = new Set<Promise<void>>();
  private readonly memory: MessageMemory;
  private readonly buffers: ReplyBuffers;
  private stopping = false;

  private constructor(
    private readonly listener: Listener,
    readonly state: ServerState,
    private readonly options: ServerOptions,
  ) {
    this.memory = new MessageMemory(options.services.memory);
    this.buffers = new ReplyBuffers(options.services.memory);
  }

  /** Starts to listen. @throws the platform's error, such as an address in use */
  static listen(options: ServerOptions): MongoServer {
    const listener = options.network.listen(options.hostname, options.port);
    const server = new MongoServer(listener, new ServerState(options.services), options);
    void server.acceptLoop();
    return server;
  }

  get address(): PeerAddress {
    return this.listener.address;
  }

  /**
   * Accepts nothing more, lets the commands that run finish, closes all connections and cursors.
   *
   * @param graceMs how long running commands have before they are stopped, and then again to come to their end
   */
  async stop(graceMs = SHUTDOWN_GRACE_MS): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.listener.close();
    this.state.shutDown();
    for (const connection of this.connections) connection.stop();
    await this.served(graceMs);
    await this.state.close();
    for (const connection of this.connections) connection.close();
    if (!await this.served(graceMs)) {
      this.options.logger.warn("stopped with commands still running", { connections: this.connections.size });
    }
  }

  /** Waits until all connections are over. @returns whether they were, before `waitMs` */
  private async served(waitMs: number): Promise<boolean> {
    let cancelTimer = () => {};
    const outOfTime = new Promise<boolean>((resolve) => {
      cancelTimer = this.options.services.clock.after(waitMs, () => resolve(false));
    });
    const all = Promise.all(this.serving).then(() => true);
    const done = await Promise.race([all, outOfTime]);
    cancelTimer();
    return done;
  }

  private async acceptLoop(): Promise<void> {
    while (!this.stopping) {
      let socket: Connection | undefined;
      try {
        socket = await this.listener.accept();
      } catch (error) {
        if (this.stopping) return;
        this.options.logger.warn("could not accept a connection", { reason: String(error) });
        await this.pause(ACCEPT_RETRY_MS);
        continue;
      }
      if (socket === undefined) return;
      this.accept(socket);
    }
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.options.services.clock.after(delayMs, resolve));
  }

  private accept(socket: Connection): void {
    const { hostname, port } = socket.remote;
    const trusted = this.options.insecure || isLoopback(hostname);
    const client = this.stopping ? undefined : this.state.connect(`${hostname}:${port}`, trusted);
    if (client === undefined) {
      this.state.counters.connectionsRejected++;
      return socket.close();
    }
    const connection = new ServerConnection(
      socket,
      client,
      this.state,
      this.memory,
      this.buffers,
      this.options.logger,
    );
    this.connections.add(connection);
    const served = connection.serve().finally(() => {
      this.connections.delete(connection);
      this.serving.delete(served);
      this.state.disconnect(client);
    });
    this.serving.add(served);
  }
}

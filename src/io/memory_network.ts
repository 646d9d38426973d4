/** The simulated twin of the network: connections within this isolate. Bytes arrive whole and in order. */
import { assert } from "../base/mod.ts";
import type { Connection, Listener, Network, PeerAddress } from "./network.ts";

const CLIENT: PeerAddress = { hostname: "127.0.0.1", port: 0 };

export class MemoryNetwork implements Network {
  private readonly listeners = new Map<number, MemoryListener>();

  listen(hostname: string, port: number): Listener {
    const listener = new MemoryListener({ hostname, port }, () => this.listeners.delete(port));
    this.listeners.set(port, listener);
    return listener;
  }

  /** Connects to who listens on a port. @returns the client's end */
  connect(port: number): Connection {
    const listener = this.listeners.get(port);
    assert(listener !== undefined, `somebody listens on port ${port}`);
    const requests = new Pipe();
    const answers = new Pipe();
    listener.waiting.put(new MemoryConnection(listener.address, CLIENT, requests, answers));
    return new MemoryConnection(CLIENT, listener.address, answers, requests);
  }
}

/** Things on their way from one who puts to one who takes. */
class Queue<T> {
  private readonly items: T[] = [];
  private closed = false;
  private wake: () => void = () => {};

  put(item: T): void {
    if (!this.closed) this.items.push(item);
    this.wake();
  }

  /** The next; undefined once it is closed and empty. */
  async take(): Promise<T | undefined> {
    while (this.items.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => this.wake = resolve);
    }
    return this.items.shift();
  }

  putBack(item: T): void {
    this.items.unshift(item);
  }

  close(): void {
    this.closed = true;
    this.wake();
  }
}

class MemoryListener implements Listener {
  readonly waiting = new Queue<Connection>();

  constructor(readonly address: PeerAddress, private readonly onClose: () => void) {}

  accept(): Promise<Connection | undefined> {
    return this.waiting.take();
  }

  close(): void {
    this.onClose();
    this.waiting.close();
  }
}

/** Bytes in one direction. */
class Pipe {
  private readonly chunks = new Queue<Uint8Array>();

  write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.put(bytes.slice());
  }

  async read(target: Uint8Array): Promise<number | null> {
    const chunk = await this.chunks.take();
    if (chunk === undefined) return null;
    const count = Math.min(chunk.length, target.length);
    target.set(chunk.subarray(0, count));
    if (count < chunk.length) this.chunks.putBack(chunk.subarray(count));
    return count;
  }

  close(): void {
    this.chunks.close();
  }
}

class MemoryConnection implements Connection {
  constructor(
    readonly local: PeerAddress,
    readonly remote: PeerAddress,
    private readonly incoming: Pipe,
    private readonly outgoing: Pipe,
  ) {}

  read(target: Uint8Array): Promise<number | null> {
    return this.incoming.read(target);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.outgoing.write(bytes);
    return Promise.resolve();
  }

  close(): void {
    this.incoming.close();
    this.outgoing.close();
  }
}

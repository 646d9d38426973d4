/** One connected client, as commands see it. */
import type { Document } from "../bson/mod.ts";
import type { Examined } from "./operation.ts";

export class Client {
  /** What the driver says of itself in its first hello. */
  metadata: Document | undefined;
  /** Whether what it asks now will be written down. */
  isProfiled = false;
  /** What its last operation read, if that was to be written down; undefined where it is not counted. */
  examined: Examined | undefined;
  /** Whether a hello was answered. */
  greeted = false;
  /** Set by a fail point: the connection closes instead of the next answer. */
  endsUnanswered = false;
  private gone = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly id: number,
    /** `address:port` of the peer. */
    readonly remote: string,
    /** Whether it may run commands besides hello. */
    readonly trusted: boolean,
  ) {}

  get disconnected(): boolean {
    return this.gone;
  }

  /** Ends what waits for this client; reads that run for it stop at their next checkpoint. */
  disconnect(): void {
    this.gone = true;
    for (const listener of [...this.listeners]) listener();
    this.listeners.clear();
  }

  /** Calls `listener` once when the client goes; returns what takes that back. */
  onDisconnect(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

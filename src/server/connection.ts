/**
 * One connection: a loop that reads and a loop that answers, with a bounded queue between them. Reading goes on while a
 * command runs, so that a client's going away is seen at once; answers go out in the order of the requests.
 *
 * When the client has closed its side, what it sent before is still done: unacknowledged writes among it. Reads that run for it
 * stop. Whatever breaks the protocol closes the connection.
 */
import { assert, CommandError, type Logger } from "../base/mod.ts";
import type { BsonWriter, RawDocument } from "../bson/mod.ts";
import {
  type Client,
  executeCommand,
  type Outcome,
  type ServerState,
  writeError,
  writeLegacyError,
} from "../command/mod.ts";
import type { Connection } from "../io/mod.ts";
import {
  beginReply,
  type CommandMessage,
  compressMessage,
  type Compressor,
  endReply,
  expandMessage,
  FrameReader,
  HTTP_ANSWER,
  HttpRequest,
  Opcode,
  opcodeOf,
  parseMessage,
  ProtocolViolation,
  type RejectedMessage,
  type ReplyEnvelope,
} from "../wire/mod.ts";
import type { MessageMemory } from "./message_memory.ts";
import type { ReplyBuffers } from "./reply_buffers.ts";
import { RequestQueue } from "./request_queue.ts";

const FIRST_REPLY_ID = 1;
const MAX_INT32 = 2 ** 31 - 1;
/** Answers to these are never compressed: a client must read them whatever was agreed. */
const NEVER_COMPRESSED: ReadonlySet<string> = new Set(["hello", "isMaster", "ismaster"]);

/** Serves one client until it goes, breaks the protocol, or the server stops. */
export class ServerConnection {
  private readonly queue = new RequestQueue();
  private readonly frames = new FrameReader();
  private lastReplyId = FIRST_REPLY_ID;
  private stopping = false;
  private closed = false;
  private speaksHttp = false;
  /** Bytes of a message on its way in, as far as they are counted. */
  private receivingBytes = 0;

  constructor(
    private readonly socket: Connection,
    private readonly client: Client,
    private readonly state: ServerState,
    private readonly memory: MessageMemory,
    private readonly buffers: ReplyBuffers,
    private readonly logger: Logger,
  ) {}

  /** Resolves when the connection is over; never rejects. */
  async serve(): Promise<void> {
    const reading = this.guarded(() => this.readLoop());
    await this.guarded(() => this.answerLoop());
    if (this.speaksHttp) await this.guarded(() => this.socket.write(HTTP_ANSWER));
    this.close();
    await reading;
    this.receiving(0);
  }

  /** Takes no more requests; those that came are answered, then the connection closes. */
  stop(): void {
    this.stopping = true;
    this.queue.end();
  }

  /** Ends the connection now. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const bytes of this.queue.close()) this.memory.end(bytes);
    this.client.disconnect();
    this.socket.close();
  }

  private async guarded(loop: () => Promise<void>): Promise<void> {
    try {
      await loop();
    } catch (error) {
      this.onError(error);
      this.close();
    }
  }

  /** A client that vanishes or talks nonsense is no news; anything else is. */
  private onError(error: unknown): void {
    if (this.closed) return;
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof ProtocolViolation) {
      this.logger.info("closed a connection that broke the protocol", { remote: this.client.remote, reason });
    } else {
      this.logger.debug("a connection failed", { remote: this.client.remote, reason });
    }
  }

  private async readLoop(): Promise<void> {
    while (!this.stopping && !this.closed) {
      await this.queue.room();
      await this.memory.room();
      if (this.stopping || this.closed) return;
      const count = await this.socket.read(this.frames.target());
      if (count === null) {
        this.queue.end();
        this.client.disconnect();
        return;
      }
      this.state.counters.network.physicalBytesIn += count;
      this.frames.filled(count);
      this.cutMessages();
      this.receiving(this.frames.partialBytes);
    }
  }

  private receiving(bytes: number): void {
    if (bytes !== this.receivingBytes) this.memory.receiving(bytes - this.receivingBytes);
    this.receivingBytes = bytes;
  }

  /** Broken framing ends the reading; what came whole before it is still answered. */
  private cutMessages(): void {
    try {
      for (let message = this.frames.next(); message !== undefined; message = this.frames.next()) {
        if (this.stopping || this.closed) continue;
        this.memory.begin(message.length);
        this.queue.add(message);
      }
    } catch (error) {
      this.onError(error);
      this.speaksHttp = error instanceof HttpRequest;
      this.stop();
    }
  }

  private async answerLoop(): Promise<void> {
    for (let bytes = await this.queue.take(); bytes !== undefined; bytes = await this.queue.take()) {
      try {
        await this.answer(bytes);
      } finally {
        this.memory.end(bytes.length);
      }
    }
  }

  private async answer(received: Uint8Array): Promise<void> {
    let bytes = received;
    let compressor: Compressor | undefined;
    if (opcodeOf(received) === Opcode.Compressed) {
      ({ bytes, compressor } = await expandMessage(received));
    }
    this.state.counters.network.requests++;
    this.state.counters.network.bytesIn += bytes.length;
    const message = parseMessage(bytes);
    if (message.kind === "rejected") return await this.reject(message, compressor);
    await this.run(message, compressor);
  }

  /** Runs a command and answers it; an exhaust command is run and answered again until it ends. */
  private async run(message: CommandMessage, compressor: Compressor | undefined): Promise<void> {
    let body: RawDocument | undefined = message.body;
    let responseTo = message.requestId;
    while (body !== undefined) {
      const writer = beginReply(message.protocol, this.buffers.take());
      const input = body === message.body ? message : { ...message, body };
      const outcome: Outcome = await executeCommand(this.state, this.client, input, writer);
      if (outcome.closes) return this.close();
      if (message.moreToCome) return;
      body = this.closed || this.stopping || this.client.disconnected ? undefined : outcome.next;
      const sent = await this.send(writer, {
        requestId: this.nextReplyId(),
        responseTo,
        protocol: message.protocol,
        moreToCome: body !== undefined,
        checksum: message.checksum,
      }, this.compressorFor(message, compressor));
      responseTo = sent;
    }
  }

  private async reject(message: RejectedMessage, compressor: Compressor | undefined): Promise<void> {
    const { error, protocol, requestId } = message;
    assert(error instanceof CommandError, "a rejected message carries a command's error");
    this.state.counters.asserts.user++;
    if (message.moreToCome) return;
    const writer = beginReply(protocol);
    if (protocol === "legacy") writeLegacyError(writer, error);
    else writeError(writer, error);
    await this.send(writer, {
      requestId: this.nextReplyId(),
      responseTo: requestId,
      protocol,
      moreToCome: false,
      checksum: false,
    }, compressor);
  }

  /** Sends an answer. @returns its id */
  private async send(
    writer: BsonWriter,
    envelope: ReplyEnvelope,
    compressor: Compressor | undefined,
  ): Promise<number> {
    const plain = endReply(writer, envelope);
    const bytes = compressor === undefined ? plain : await compressMessage(plain, compressor);
    const { network } = this.state.counters;
    network.bytesOut += plain.length;
    network.physicalBytesOut += bytes.length;
    if (!this.closed) await this.socket.write(bytes);
    this.buffers.give(new Uint8Array(plain.buffer));
    return envelope.requestId;
  }

  private compressorFor(message: CommandMessage, compressor: Compressor | undefined): Compressor | undefined {
    if (compressor === undefined) return undefined;
    return NEVER_COMPRESSED.has(message.body.names()[0] ?? "") ? undefined : compressor;
  }

  private nextReplyId(): number {
    this.lastReplyId = this.lastReplyId === MAX_INT32 ? FIRST_REPLY_ID : this.lastReplyId + 1;
    return this.lastReplyId;
  }
}

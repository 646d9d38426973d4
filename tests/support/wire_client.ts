/**
 * A small raw client of the MongoDB wire protocol for tests and benches: what it sends and gets are the very documents
 * on the wire, with every BSON type kept (Int32, Double and Long stay apart), and nothing is retried or added.
 *
 *     int32 messageLength │ int32 requestID │ int32 responseTo │ int32 opCode = 2013
 *     uint32 flagBits     │ byte kind = 0   │ BSON document
 */
import { deserialize, type Document, serialize } from "bson";

const HEADER_BYTES = 16;
const OP_MSG = 2013;
const MORE_TO_COME = 2;
/** Header, flags and the kind byte of the one section. */
const BODY_AT = HEADER_BYTES + 4 + 1;

export type { Document };

/** The bytes of one OP_MSG whose only section is the document. */
export function encodeMessage(body: Uint8Array, requestId = 1, flagBits = 0): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(BODY_AT + body.length);
  const view = new DataView(message.buffer);
  view.setInt32(0, message.length, true);
  view.setInt32(4, requestId, true);
  view.setInt32(12, OP_MSG, true);
  view.setUint32(HEADER_BYTES, flagBits, true);
  message.set(body, BODY_AT);
  return message;
}

/** A command as the bytes of its message; `ignoreUndefined`, as drivers do. */
export function encodeCommand(command: Document, requestId = 1): Uint8Array<ArrayBuffer> {
  return encodeMessage(serialize(command, { ignoreUndefined: true }), requestId);
}

/**
 * The bytes of a command whose documents stand in a section of their own (a document sequence), as drivers send inserts.
 *
 *     … flags │ kind 0 │ body │ kind 1 │ int32 size │ cstring name │ documents
 */
export function encodeSequence(
  command: Document,
  name: string,
  documents: Uint8Array,
  requestId = 1,
): Uint8Array<ArrayBuffer> {
  const head = encodeCommand(command, requestId);
  const sequenceBytes = 4 + name.length + 1 + documents.length;
  const message = new Uint8Array(head.length + 1 + sequenceBytes);
  message.set(head);
  const view = new DataView(message.buffer);
  view.setInt32(0, message.length, true);
  message[head.length] = 1;
  view.setInt32(head.length + 1, sequenceBytes, true);
  new TextEncoder().encodeInto(name, message.subarray(head.length + 5));
  message.set(documents, message.length - documents.length);
  return message;
}

/** The document in a reply, with BSON's own number classes instead of JavaScript numbers. */
export function decodeReply(message: Uint8Array): Document {
  return deserialize(message.subarray(BODY_AT), {
    promoteValues: false,
    promoteLongs: false,
    promoteBuffers: false,
    bsonRegExp: true,
  });
}

/** A reply with `ok: 0`, thrown by {@link WireClient.must}. */
export class CommandFailure extends Error {
  constructor(readonly command: Document, readonly reply: Document) {
    super(`${Object.keys(command)[0]} failed: ${reply["code"]} ${reply["codeName"]}: ${reply["errmsg"]}`);
  }
}

/** One connection. Calls may overlap: replies come in the order of the requests. */
export class WireClient {
  #buffer = new Uint8Array(64 * 1024);
  #filled = 0;
  #nextRequestId = 1;
  #lastReply: Promise<unknown> = Promise.resolve();

  private constructor(private readonly connection: Deno.TcpConn) {
    connection.setNoDelay(true);
  }

  static async connect(port: number, hostname = "127.0.0.1"): Promise<WireClient> {
    return new WireClient(await Deno.connect({ hostname, port }));
  }

  /** Sends a command and gives its reply, whatever it says. `$db` is `admin` unless the command names it. */
  async command(command: Document): Promise<Document> {
    const body = "$db" in command ? command : { ...command, $db: "admin" };
    return decodeReply(await this.roundTrip(encodeCommand(body, this.#nextRequestId++)));
  }

  /** Sends a command that has to succeed. @throws CommandFailure for `ok: 0` or write errors */
  async must(command: Document): Promise<Document> {
    const reply = await this.command(command);
    if (Number(reply["ok"]) !== 1 || "writeErrors" in reply) throw new CommandFailure(command, reply);
    return reply;
  }

  /** Sends an encoded message and gives the bytes of its reply, valid until the next call. */
  roundTrip(message: Uint8Array): Promise<Uint8Array> {
    const sent = this.send(message);
    const reply = this.#lastReply.then(async () => {
      await sent;
      return await this.#readMessage();
    });
    this.#lastReply = reply.catch(() => undefined);
    return reply;
  }

  /** Sends bytes as they are. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.connection.write(bytes.subarray(sent));
  }

  /** All documents of a cursor that `command` (find or aggregate) opens. @throws CommandFailure */
  async documents(command: Document): Promise<Document[]> {
    let cursor = (await this.must(command))["cursor"];
    const documents: Document[] = [...cursor["firstBatch"]];
    const collection = String(cursor["ns"]).slice(String(command["$db"]).length + 1);
    while (String(cursor["id"]) !== "0") {
      const more = await this.must({ getMore: cursor["id"], collection, $db: command["$db"] });
      cursor = more["cursor"];
      for (const document of cursor["nextBatch"]) documents.push(document);
    }
    return documents;
  }

  close(): void {
    try {
      this.connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #readMessage(): Promise<Uint8Array> {
    for (;;) {
      await this.#fill(HEADER_BYTES);
      const length = new DataView(this.#buffer.buffer).getInt32(0, true);
      await this.#fill(length);
      const message = this.#buffer.slice(0, length);
      this.#buffer.copyWithin(0, length, this.#filled);
      this.#filled -= length;
      const flags = new DataView(message.buffer).getUint32(HEADER_BYTES, true);
      if ((flags & MORE_TO_COME) === 0) return message;
    }
  }

  /** Reads until at least `size` bytes are there. @throws Error when the server closes before */
  async #fill(size: number): Promise<void> {
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    while (this.#filled < size) {
      const count = await this.connection.read(this.#buffer.subarray(this.#filled));
      if (count === null) throw new Error("the server closed the connection");
      this.#filled += count;
    }
  }
}

/** A socket for tests that sends bytes as they are, whole or broken, and reads answers one by one. */
import { deserialize, type Document } from "bson";
import { concat } from "./messages.ts";

/** An answer off the wire. */
export interface Reply {
  readonly opcode: number;
  readonly responseTo: number;
  readonly requestId: number;
  readonly flags: number;
  readonly document: Document;
}

/** One socket that sends bytes as they are and reads answers one by one. */
export class RawSocket {
  private buffered = new Uint8Array();

  private constructor(private readonly connection: Deno.TcpConn) {}

  static async open(port: number): Promise<RawSocket> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new RawSocket(connection);
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.connection.write(bytes.subarray(sent));
  }

  /** The next whole message; null when the server has closed. */
  async message(): Promise<Uint8Array | null> {
    for (;;) {
      const length = this.buffered.length >= 4
        ? new DataView(this.buffered.buffer).getInt32(0, true)
        : Infinity;
      if (this.buffered.length >= length) {
        const whole = this.buffered.slice(0, length);
        this.buffered = this.buffered.slice(length);
        return whole;
      }
      const piece = new Uint8Array(64 * 1024);
      const count = await this.connection.read(piece).catch(() => null);
      if (count === null) return null;
      this.buffered = concat(this.buffered, piece.subarray(0, count));
    }
  }

  async reply(): Promise<Reply | null> {
    const bytes = await this.message();
    return bytes === null ? null : decode(bytes);
  }

  closeWriting(): Promise<void> {
    return this.connection.closeWrite();
  }

  close(): void {
    this.connection.close();
  }
}

/** Reads an OP_MSG without checksum, or an OP_REPLY. */
export function decode(bytes: Uint8Array): Reply {
  const view = new DataView(bytes.buffer);
  const opcode = view.getInt32(12, true);
  return {
    opcode,
    requestId: view.getInt32(4, true),
    responseTo: view.getInt32(8, true),
    flags: view.getUint32(16, true),
    document: deserialize(bytes.subarray(opcode === 1 ? 36 : 21)),
  };
}

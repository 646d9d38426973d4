/** A browser or a health check on the port of MongoDB's protocol: told so in its own language, in MongoDB's words. */
import { ProtocolViolation } from "./message.ts";

/** "GET ", as the length that a message begins with. */
export const HTTP_GET = 0x20544547;

const TEXT = "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n";

export const HTTP_ANSWER: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  `HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${TEXT.length}\r\n\r\n${TEXT}`,
);

export class HttpRequest extends ProtocolViolation {
  constructor() {
    super("an HTTP request on the port of MongoDB's protocol");
  }
}

/** The port to HTTP: a listener that turns requests into responses. Connections and HTTP's own rules are Deno's. */
import type { PeerAddress } from "./network.ts";

/** Answers one request of a peer. */
export type HttpHandler = (request: Request, peer: PeerAddress) => Response;

/** An HTTP listener at work. */
export interface HttpListener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: PeerAddress;
  /**
   * Takes no more requests and waits for those that run, but no longer than `graceMs`: a peer that sent half a request
   * would keep it waiting for ever. What hangs then ends with the isolate.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves HTTP.
 *
 * @param onError is told what a handler threw; the peer gets a plain 500
 * @throws the platform's error, such as an address in use
 */
export function listenHttp(
  hostname: string,
  port: number,
  handler: HttpHandler,
  onError: (error: unknown) => void,
): HttpListener {
  const server = Deno.serve({
    hostname,
    port,
    onListen: () => {},
    onError: (error) => {
      onError(error);
      return new Response("internal error\n", { status: 500 });
    },
  }, (request, info) => handler(request, info.remoteAddr));
  return {
    address: server.addr,
    close: async (graceMs) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
      await Promise.race([server.shutdown(), grace]);
      clearTimeout(timer);
    },
  };
}

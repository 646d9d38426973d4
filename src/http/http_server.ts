/**
 * The HTTP side of a node. Protected mode holds here as on the MongoDB port: until there is access control, a peer on
 * another machine gets one sentence that says what to do, and nothing else.
 */
import { HTTP_STOP_GRACE_MS, type Logger } from "../base/mod.ts";
import { type Clock, type HttpListener, isLoopback, listenHttp, type PeerAddress } from "../io/mod.ts";
import { healthResponse, type HealthStatus } from "./health.ts";

export interface HttpServerOptions {
  readonly hostname: string;
  readonly port: number;
  /** True to serve peers on other machines. */
  readonly insecure: boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PROTECTED_MODE =
  "ChronoGo runs in protected mode: without access control it serves only its own machine. " +
  "Connect from there, or start it with --insecure to serve everybody.\n";

/** Serves a node's HTTP pages. It answers from `listen` on, `starting` until told otherwise. */
export class HttpServer {
  private readonly startedMs: number;
  private readonly listener: HttpListener;
  private status: HealthStatus = "starting";

  private constructor(private readonly options: HttpServerOptions) {
    this.startedMs = options.clock.monotonicMs();
    this.listener = listenHttp(
      options.hostname,
      options.port,
      (request, peer) => this.answer(request, peer),
      (error) => options.logger.error("a page failed", { error: String(error) }),
    );
  }

  /** @throws the platform's error, such as an address in use */
  static listen(options: HttpServerOptions): HttpServer {
    return new HttpServer(options);
  }

  /** Where it listens. */
  get address(): PeerAddress {
    return this.listener.address;
  }

  /** What `/health` says from now on. */
  setStatus(status: HealthStatus): void {
    this.status = status;
  }

  /** Takes no more requests and waits a little for those that run. */
  close(): Promise<void> {
    return this.listener.close(HTTP_STOP_GRACE_MS);
  }

  /** Answers one request of a peer; the listener calls it. */
  answer(request: Request, peer: PeerAddress): Response {
    if (!this.options.insecure && !isLoopback(peer.hostname)) {
      return new Response(PROTECTED_MODE, { status: 403 });
    }
    if (new URL(request.url).pathname !== "/health") return new Response("no such page\n", { status: 404 });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const uptimeMs = this.options.clock.monotonicMs() - this.startedMs;
    return healthResponse({
      status: this.status,
      version: this.options.version,
      uptimeSeconds: Math.floor(uptimeMs / 1000),
    });
  }
}

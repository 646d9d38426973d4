/** What the start-up isolate and the server's Worker tell each other. Plain values: they are cloned on the way. */
import type { ListenAddress } from "./address.ts";
import type { Host } from "./host.ts";
import type { Settings } from "./settings.ts";

/** To the server. */
export type ServerOrder =
  | { readonly kind: "start"; readonly start: ServerStart }
  | { readonly kind: "stop" };

/** All that the server needs to know and cannot find out itself. */
export interface ServerStart {
  readonly settings: Settings;
  readonly host: Host;
  /** The command line's arguments, for `getCmdLineOpts`. */
  readonly argv: readonly string[];
}

/** From the server. */
export type ServerReport =
  /** Its program is read; it waits for the order to start. */
  | { readonly kind: "loaded" }
  | { readonly kind: "started"; readonly started: Started }
  | { readonly kind: "stopped" }
  /** It cannot start, or go on. `message` is one line for the person at the terminal. */
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: number };

/** What a server that serves has to say about itself. */
export interface Started {
  /** Where it really listens: the wildcard it took, the port it got. */
  readonly mongo: ListenAddress;
  readonly http: ListenAddress;
  readonly found: Found;
}

/** What was in the data folder. */
export interface Found {
  readonly databases: number;
  readonly collections: number;
  readonly series: number;
  readonly rows: number;
  /** How long it took to open it, in milliseconds. */
  readonly recoveryMs: number;
}

/**
 * Addresses to listen on, as flags have them: `host:port`, `:port` for all interfaces, `[::1]:port` for IPv6.
 *
 * "All interfaces" is the IPv6 wildcard `::`, on which Linux, macOS and Windows (as Deno opens it) accept IPv4 as well,
 * and `0.0.0.0` where the machine has no IPv6.
 */
import { usageError } from "./start_error.ts";

/** Where to listen. */
export interface ListenAddress {
  /** A name or number; empty for all interfaces. */
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
}

const MAX_PORT = 65_535;

/**
 * Reads `host:port`.
 *
 * @throws StartError that says what is wrong and what would be right
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<host>[^:\s/[\]]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"]);
  if (match === null || port > MAX_PORT) {
    throw usageError(`expected host:port or :port, such as :27017, with a port up to ${MAX_PORT}`);
  }
  return { hostname: match.groups?.["v6"] ?? match.groups?.["host"] ?? "", port };
}

/** `host:port` again, with brackets around IPv6 numbers. */
export function addressText({ hostname, port }: ListenAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The hostnames to try in turn, and the only ones that the sandbox lets the server listen on. */
export function hostnamesOf(address: ListenAddress): readonly string[] {
  return address.hostname === "" ? ["::", "0.0.0.0"] : [address.hostname];
}

/** True for an address that peers on other machines can reach. */
export function isOpenToOthers({ hostname }: ListenAddress): boolean {
  return !(hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname));
}

/** The address a client on this machine connects to. */
export function localAddress({ hostname, port }: ListenAddress): ListenAddress {
  const isWildcard = hostname === "" || hostname === "::" || hostname === "0.0.0.0";
  return { hostname: isWildcard ? "127.0.0.1" : hostname, port };
}

/** Binding to an address, with errors that say what to do. */
import { addressText, hostnamesOf, type ListenAddress } from "./address.ts";
import { StartError } from "./start_error.ts";

/**
 * Calls `listen` with the hostname of the address; for all interfaces with the IPv6 wildcard and, on a machine without
 * IPv6, with the one of IPv4.
 *
 * @param flag the option to name in an error, such as `--mongo-addr`
 * @throws StartError when it cannot listen there
 */
export async function listenAt<T>(
  flag: string,
  address: ListenAddress,
  listen: (hostname: string, port: number) => T | Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const hostname of hostnamesOf(address)) {
    try {
      return await listen(hostname, address.port);
    } catch (error) {
      failure ??= error;
      if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) break;
    }
  }
  throw new StartError(`cannot listen on ${addressText(address)} (${flag}): ${reasonOf(failure, flag)}`);
}

function reasonOf(error: unknown, flag: string): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return `another program, perhaps another ChronoGo, uses this port; stop it, or choose another port with ${flag}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `not allowed to use this port; choose one from 1024 on with ${flag}`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  return error instanceof Error ? firstLine(error.message) : String(error);
}

/** The first line of a text. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

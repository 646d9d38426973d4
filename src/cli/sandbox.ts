/**
 * The sandbox of the server's Worker: the data folder, the addresses that the flags name, nothing else. The process
 * itself holds more (it must read a config file anywhere and make a data folder anywhere), but only start-up code runs
 * there, and that gives its rights up as soon as the Worker runs.
 */
import { addressText, hostnamesOf, type ListenAddress } from "./address.ts";

/** What the Worker needs to do its work. */
export interface SandboxNeeds {
  /** The data folder, absolute, links resolved. */
  readonly dataDir: string;
  /** Where it is going to listen. */
  readonly addresses: readonly ListenAddress[];
}

/** The rights a Worker with these needs is started with; all that is not named is refused. */
export function sandboxPermissions(needs: SandboxNeeds): Deno.PermissionOptionsObject {
  return {
    read: [needs.dataDir],
    write: [needs.dataDir],
    net: needs.addresses.flatMap((address) =>
      hostnamesOf(address).map((hostname) => addressText({ hostname, port: address.port }))
    ),
    env: false,
    run: false,
    ffi: false,
    sys: false,
    import: false,
  };
}

/** Gives up what start-up needed and running does not. */
export async function dropStartupPermissions(): Promise<void> {
  for (const name of ["read", "write", "net", "env"] as const) {
    await Deno.permissions.revoke({ name });
  }
}

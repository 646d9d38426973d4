/** True for the address of a peer on this machine, in IPv4, IPv6 or IPv4 mapped into IPv6 (`::ffff:127.0.0.1`). */
export function isLoopback(hostname: string): boolean {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  const number = bare.toLowerCase().startsWith("::ffff:") ? bare.slice("::ffff:".length) : bare;
  return number === "::1" || number === "0:0:0:0:0:0:0:1" || /^127(\.\d{1,3}){3}$/.test(number) ||
    /^7f[0-9a-f]{2}:[0-9a-f]{1,4}$/i.test(number);
}

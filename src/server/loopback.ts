/** Whether an address is this machine's own: 127.0.0.0/8, ::1, and the former written as IPv6. */
export function isLoopback(hostname: string): boolean {
  const address = hostname.toLowerCase().replace(/^::ffff:/, "");
  return address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

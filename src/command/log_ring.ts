/** The last lines of the log, and those that warn at start-up, for `getLog`. */

const RING_LINES = 1024;
/** MongoDB numbers its messages; this is its warning that access control is off. */
const STARTUP_WARNING_ID = 22120;

export class LogRing {
  private readonly ring: string[] = [];
  private readonly warnings: string[] = [];
  private written = 0;

  /** Keeps a line; the oldest gives way. */
  add(line: string): void {
    if (this.ring.length < RING_LINES) this.ring.push(line);
    else this.ring[this.written % RING_LINES] = line;
    this.written++;
  }

  /** Keeps a warning that shells show to whoever connects; in MongoDB's form of a log line, which they parse. */
  addStartupWarning(message: string, atMs: number): void {
    this.warnings.push(JSON.stringify({
      t: { $date: new Date(atMs).toISOString() },
      s: "W",
      c: "CONTROL",
      id: STARTUP_WARNING_ID,
      ctx: "initandlisten",
      msg: message,
      tags: ["startupWarnings"],
    }));
  }

  /** Lines ever written. */
  get total(): number {
    return this.written;
  }

  /** The kept lines, oldest first. */
  lines(): readonly string[] {
    const oldest = this.written % RING_LINES;
    if (this.written <= RING_LINES) return [...this.ring];
    return [...this.ring.slice(oldest), ...this.ring.slice(0, oldest)];
  }

  startupWarnings(): readonly string[] {
    return this.warnings;
  }
}

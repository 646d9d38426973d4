/** The last lines of the log, and those that warn at start-up, for `getLog`. */

const RING_LINES = 1024;

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

  /** Keeps a warning that shells show to whoever connects. */
  addStartupWarning(line: string): void {
    this.warnings.push(line);
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

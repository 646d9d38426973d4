/** The port to time. The real twin reads the machine's clocks, the simulated one is moved by its test. */
export interface Clock {
  /** Milliseconds since 1970, as the machine believes; may jump. */
  nowMs(): number;
  /** Milliseconds that only grow, from an arbitrary start. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; returns what cancels it. A waiting timer does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's clock. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, delayMs);
    Deno.unrefTimer(timer);
    return () => clearTimeout(timer);
  }
}

interface Waiting {
  readonly dueMs: number;
  readonly action: () => void;
}

/** A clock that stands still until it is told to move. */
export class SimulatedClock implements Clock {
  private waiting: Waiting[] = [];

  constructor(private currentMs = 0) {}

  nowMs(): number {
    return this.currentMs;
  }

  monotonicMs(): number {
    return this.currentMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const entry = { dueMs: this.currentMs + delayMs, action };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((other) => other !== entry);
    };
  }

  /** Moves time and runs, in order, all that falls due on the way. */
  advance(ms: number): void {
    const endMs = this.currentMs + ms;
    for (;;) {
      const due = this.waiting.filter((entry) => entry.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.waiting = this.waiting.filter((entry) => entry !== due);
      this.currentMs = Math.max(this.currentMs, due.dueMs);
      due.action();
    }
    this.currentMs = endMs;
  }
}

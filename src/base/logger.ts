/**
 * Structured log lines: one a line, level and text first, then `key=value`.
 *
 *     2026-01-31T12:00:00.000Z info  storage: flushed table rows=8192 bytes=31022 ms=12
 *
 * Where a line goes is the composition root's choice: it passes a sink.
 */

/** From the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

/** What a logger writes: a line without its end. */
export type LogSink = (line: string, level: LogLevel) => void;
/** Values that stand behind the text as `key=value`. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint>>;

/** Writes lines of one part of the server. Loggers of one process share the ring that `getLog` shows. */
export class Logger {
  constructor(
    private readonly component: string,
    private readonly level: LogLevel,
    private readonly sink: LogSink,
    private readonly nowMs: () => number,
  ) {}

  /** The same log under another part's name. */
  child(component: string): Logger {
    return new Logger(component, this.level, this.sink, this.nowMs);
  }

  debug(text: string, fields?: LogFields): void {
    this.write("debug", text, fields);
  }

  info(text: string, fields?: LogFields): void {
    this.write("info", text, fields);
  }

  warn(text: string, fields?: LogFields): void {
    this.write("warn", text, fields);
  }

  error(text: string, fields?: LogFields): void {
    this.write("error", text, fields);
  }

  private write(level: LogLevel, text: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return;
    const time = new Date(this.nowMs()).toISOString();
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoteIfNeeded(String(value))}`);
    this.sink(`${time} ${level.padEnd(5)} ${this.component}: ${text}${pairs.join("")}`, level);
  }
}

/** A logger that writes nothing, for tests and for embedding. */
export const SILENT_LOGGER = new Logger("silent", "error", () => {}, () => 0);

function quoteIfNeeded(text: string): string {
  return /[\s="]/.test(text) ? JSON.stringify(text) : text;
}

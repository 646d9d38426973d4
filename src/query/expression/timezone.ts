/**
 * Time zones: what local time was, is and will be. Offsets come from the platform's zone data (Intl), are asked for once
 * per zone and block of some twelve days, and kept; a lookup in a known block costs two comparisons.
 *
 * A block is 2³⁰ ms: no zone changes its offset twice in that time, so that a block has one change at most, found by
 * bisection.
 */
import { CommandError } from "../../base/mod.ts";
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from "./civil.ts";

const BLOCK_MS = 2 ** 30;
const MAX_BLOCKS = 16_384;
/** Before this year its offset holds. */
const FIRST_MS = Date.UTC(1800, 0, 1);
/** From this year on rules repeat with the calendar, every 400 years, and those of the cycle before it are asked. */
const LAST_MS = Date.UTC(2600, 0, 1);
const CALENDAR_CYCLE_MS = 146_097 * 24 * MS_PER_HOUR;

interface Block {
  /** The offset before `changeMs`. */
  readonly beforeMs: number;
  /** When the offset changes, in UTC; infinite when it does not. */
  readonly changeMs: number;
  readonly afterMs: number;
}

/** A zone: a fixed offset from UTC or the rules of a place. */
export class Timezone {
  static readonly UTC = new Timezone(0, undefined);

  private readonly blocks = new Map<number, Block>();
  private lastIndex = NaN;
  private lastBlock: Block = { beforeMs: 0, changeMs: Infinity, afterMs: 0 };

  /**
   * @param fixedMs the offset, east positive; ignored where there is a `format`
   * @param format shows local time, for a place
   */
  constructor(private readonly fixedMs: number, private readonly format: Intl.DateTimeFormat | undefined) {}

  /** Whether local time is UTC. */
  get isUtc(): boolean {
    return this.format === undefined && this.fixedMs === 0;
  }

  /** Local time minus UTC, in milliseconds, at a moment in UTC. */
  offsetAt(utcMs: number): number {
    if (this.format === undefined) return this.fixedMs;
    const index = Math.floor(utcMs / BLOCK_MS);
    if (index !== this.lastIndex) {
      this.lastBlock = this.blockAt(index, this.format);
      this.lastIndex = index;
    }
    const block = this.lastBlock;
    return utcMs < block.changeMs ? block.beforeMs : block.afterMs;
  }

  /**
   * The moment at which local clocks show `localMs` (milliseconds as if local time were UTC). A time that clocks skip
   * is moved on by what they skip; of one that they show twice the second is meant.
   *
   * @param offsetMs the offset that is meant instead, where clocks show the time at that
   */
  toUtc(localMs: number, offsetMs?: number): number {
    if (this.format === undefined) return localMs - this.fixedMs;
    if (offsetMs !== undefined && this.offsetAt(localMs - offsetMs) === offsetMs) return localMs - offsetMs;
    // The offset a day later is that after any change near by: right but for times before the change.
    const after = this.offsetAt(localMs + 24 * MS_PER_HOUR);
    if (this.offsetAt(localMs - after) === after) return localMs - after;
    return localMs - this.offsetAt(localMs - 24 * MS_PER_HOUR);
  }

  private blockAt(index: number, format: Intl.DateTimeFormat): Block {
    let block = this.blocks.get(index);
    if (block === undefined) {
      if (this.blocks.size >= MAX_BLOCKS) this.blocks.clear();
      block = findBlock(format, index);
      this.blocks.set(index, block);
    }
    return block;
  }
}

function findBlock(format: Intl.DateTimeFormat, index: number): Block {
  let low = index * BLOCK_MS;
  let high = low + BLOCK_MS;
  const beforeMs = askOffset(format, low);
  const afterMs = askOffset(format, high);
  if (beforeMs === afterMs) return { beforeMs, changeMs: Infinity, afterMs };
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askOffset(format, middle) === beforeMs) low = middle;
    else high = middle;
  }
  return { beforeMs, changeMs: high, afterMs };
}

/** The slow answer, from the platform. */
function askOffset(format: Intl.DateTimeFormat, utcMs: number): number {
  const cycles = Math.max(0, Math.ceil((utcMs - LAST_MS) / CALENDAR_CYCLE_MS));
  const knownMs = Math.max(utcMs - cycles * CALENDAR_CYCLE_MS, FIRST_MS);
  const ms = Math.floor(knownMs / MS_PER_SECOND) * MS_PER_SECOND;
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return local - ms;
}

const OFFSET = /^([+-])(\d{2})(?::?(\d{2}))?$/;
const MAX_ZONES = 1024;
const ZONES = new Map<string, Timezone>();

/**
 * A zone by its name in the IANA data (`Europe/Berlin`) or by its offset (`+05:30`, `-0800`, `+01`).
 *
 * @throws CommandError 40485 for a zone there is not
 */
export function parseTimezone(text: string): Timezone {
  const known = ZONES.get(text);
  if (known !== undefined) return known;
  const zone = parseOffset(text) ?? namedZone(text);
  if (ZONES.size >= MAX_ZONES) ZONES.clear();
  ZONES.set(text, zone);
  return zone;
}

function parseOffset(text: string): Timezone | undefined {
  if (text === "UTC" || text === "GMT") return Timezone.UTC;
  const match = OFFSET.exec(text);
  if (match === null) return undefined;
  const magnitude = Number(match[2]) * MS_PER_HOUR + Number(match[3] ?? 0) * MS_PER_MINUTE;
  return new Timezone(match[1] === "-" ? -magnitude : magnitude, undefined);
}

function namedZone(text: string): Timezone {
  if (/^[A-Za-z]/.test(text)) {
    try {
      const format = new Intl.DateTimeFormat("en-US-u-ca-iso8601", {
        timeZone: text,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
      const { timeZone } = format.resolvedOptions();
      // Names tell upper from lower case; the platform does not.
      if (timeZone === text || timeZone.toLowerCase() !== text.toLowerCase()) return new Timezone(0, format);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new CommandError(40485, `unrecognized time zone identifier: "${text}"`);
}

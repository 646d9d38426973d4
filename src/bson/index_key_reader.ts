/** Reads index keys (index_key.ts) and what they leave open (key_types.ts) back to the very values. */
import { assert, AssertionError } from "../base/mod.ts";
import { BuiltDocument, type Document } from "./document.ts";
import { BELOW, END, EQUAL, EXPONENT_BIAS, rankOfTag } from "./index_key.ts";
import { DOUBLE, INT64, looksLikeInt32, PLAIN, WHOLE, WHOLE_FIELD } from "./key_types.ts";
import { RawDocument, readInt32 } from "./raw.ts";
import {
  Binary,
  BSONRegExp,
  BsonUndefined,
  Code,
  DBPointer,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "./value.ts";

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** The bits of a field that is descending are inverted. */
const INVERTED = 0xff;
const NO_TYPES = new Uint8Array();

export class IndexKeyReader {
  /** Where the next value begins. */
  at = 0;
  private typesAt = 0;
  private mask = 0;

  /** @param types what `encodeKeyTypes` says of the values */
  constructor(private readonly key: Uint8Array, private readonly types: Uint8Array | null) {}

  /** The next value; null also where it was missing. */
  next(descending: boolean): Value {
    this.mask = descending ? INVERTED : 0;
    return this.value();
  }

  private value(): Value {
    return this.body(rankOfTag(this.byte()));
  }

  /** @param rank that of the value's type, `rankOfType` */
  private body(rank: number): Value {
    switch (rank) {
      case -1:
        return new MinKey();
      case 0:
        return BsonUndefined.VALUE;
      case 5:
        return null;
      case 10:
        return this.number();
      case 15: {
        const text = this.text();
        return this.wholeOr(() => text);
      }
      case 20:
        return this.document();
      case 25:
        return this.array();
      case 30: {
        const length = this.uint32();
        const subtype = this.byte();
        return new Binary(this.bytes(length), subtype);
      }
      case 35:
        return new ObjectId(this.bytes(12));
      case 40:
        return this.byte() === 1;
      case 45:
        return this.date();
      case 47: {
        const high = this.uint32();
        return new Timestamp({ t: high, i: this.uint32() });
      }
      case 50: {
        const pattern = this.text();
        return new BSONRegExp(pattern, this.text());
      }
      case 55: {
        const collection = this.text();
        return new DBPointer(collection, new ObjectId(this.bytes(12)));
      }
      case 60:
        return new Code(this.text());
      case 65: {
        const code = this.text();
        return this.wholeOr(() => new Code(code));
      }
      case 127:
        return new MaxKey();
      default:
        throw new AssertionError(`no type has rank ${rank}`);
    }
  }

  private date(): Value {
    const ms = this.sortable();
    return Number.isSafeInteger(ms) ? new UtcDate(ms) : this.wholeOr(() => new UtcDate(ms));
  }

  private number(): Value {
    const nearest = this.sortable();
    const order = this.byte();
    const isNegative = nearest < 0 || (nearest === 0 && order === BELOW);
    const exact = order === EQUAL ? undefined : this.digits(isNegative);
    return this.wholeOr((type) => {
      if (exact !== undefined) return exact();
      if (type === DOUBLE) return nearest;
      if (type === INT64) return BigInt(nearest);
      return looksLikeInt32(nearest) ? Int32.of(nearest) : nearest;
    });
  }

  /** Reads over the digits of a number that no double is. @returns what makes an int64 of them */
  private digits(isNegative: boolean): () => bigint {
    const flip = isNegative ? 0xff : 0;
    const scale = ((this.byte() ^ flip) << 8 | (this.byte() ^ flip)) - EXPONENT_BIAS;
    let digits = "";
    for (let byte = this.byte() ^ flip; byte !== 0; byte = this.byte() ^ flip) {
      digits += String.fromCharCode(byte + 47);
    }
    return () => BigInt((isNegative ? "-" : "") + digits.padEnd(scale, "0"));
  }

  private document(): Document {
    const names: string[] = [];
    const values: Value[] = [];
    for (let tag = this.byte(); tag !== END; tag = this.byte()) {
      names.push(this.text());
      values.push(this.body(rankOfTag(tag)));
    }
    return new BuiltDocument(names, values);
  }

  private array(): readonly Value[] {
    const values: Value[] = [];
    for (let tag = this.byte(); tag !== END; tag = this.byte()) values.push(this.body(rankOfTag(tag)));
    return values;
  }

  /** What the types have as a whole, or what another of them makes. */
  private wholeOr(make: (type: number) => Value): Value {
    const types = this.types ?? NO_TYPES;
    const type = types[this.typesAt++] ?? PLAIN;
    if (type !== WHOLE) return make(type);
    const sizeBytes = readInt32(types, this.typesAt);
    const whole = new RawDocument(types.subarray(this.typesAt, this.typesAt + sizeBytes));
    this.typesAt += sizeBytes;
    return whole.get(WHOLE_FIELD);
  }

  private byte(): number {
    assert(this.at < this.key.length, "a key has all bytes of its values");
    return this.key[this.at++]! ^ this.mask;
  }

  private bytes(length: number): Uint8Array {
    const bytes = this.key.slice(this.at, this.at += length);
    assert(bytes.length === length, "a key has all bytes of its values");
    if (this.mask !== 0) { for (let i = 0; i < length; i++) bytes[i]! ^= this.mask; }
    return bytes;
  }

  private uint32(): number {
    return (this.byte() << 24 | this.byte() << 16 | this.byte() << 8 | this.byte()) >>> 0;
  }

  private sortable(): number {
    const high = this.uint32();
    const low = this.uint32();
    if (high === 0 && low === 0) return NaN;
    const negative = high >>> 31 === 0;
    SCRATCH.setUint32(0, negative ? ~high : high & 0x7fffffff);
    SCRATCH.setUint32(4, negative ? ~low : low);
    return SCRATCH.getFloat64(0);
  }

  private text(): string {
    const from = this.at;
    let escapes = false;
    for (;; this.at++) {
      if (this.byteAt(this.at) !== 0) continue;
      if (this.byteAt(this.at + 1) === 0) break;
      escapes = true;
      this.at++;
    }
    const bytes = this.key.slice(from, this.at);
    if (this.mask !== 0) { for (let i = 0; i < bytes.length; i++) bytes[i]! ^= this.mask; }
    this.at += 2;
    return UTF8.decode(escapes ? bytes.filter((_, i) => i === 0 || bytes[i - 1] !== 0) : bytes);
  }

  private byteAt(at: number): number {
    assert(at < this.key.length, "a text in a key has an end");
    return this.key[at]! ^ this.mask;
  }
}

const SCRATCH = new DataView(new ArrayBuffer(8));

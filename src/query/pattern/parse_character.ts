/** Escapes that stand for one character, and those of Unicode properties: alike inside and outside of a class. */
import { type CharacterSet, complementOf } from "./character_set.ts";
import { propertySet } from "./named_sets.ts";
import { PatternError, type PatternReader } from "./reader.ts";

const SIMPLE: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
const OCTAL = /[0-7]{0,2}/y;
const HEX = /[0-9A-Fa-f]{0,2}/y;
const BRACED = /\{([^}]*)\}?/y;

/** The code point that `\` and the letter, both read already, stand for. */
export function escapedCharacter(reader: PatternReader, letter: string): number {
  const simple = SIMPLE[letter];
  if (simple !== undefined) return simple;
  if (letter >= "0" && letter <= "7") return parseInt(letter + reader.take(OCTAL)![0], 8);
  switch (letter) {
    case "x":
      if (reader.next === "{") return bracedCode(reader, /^[0-9A-Fa-f]+$/, 16, "hex", "x");
      return parseInt(reader.take(HEX)![0] || "0", 16);
    case "o":
      if (reader.next !== "{") throw new PatternError("missing opening brace after \\o");
      return bracedCode(reader, /^[0-7]+$/, 8, "octal", "o");
    case "c":
      return controlCharacter(reader);
    case "L":
    case "l":
    case "N":
    case "U":
    case "u":
      throw new PatternError("PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u");
    default:
      reader.at -= letter.length;
      return reader.character();
  }
}

function bracedCode(
  reader: PatternReader,
  digits: RegExp,
  radix: number,
  name: string,
  letter: string,
): number {
  const match = reader.take(BRACED)!;
  if (match[0] === "{}") throw new PatternError("digits missing in \\x{} or \\o{}");
  if (!digits.test(match[1]!) || !match[0].endsWith("}")) {
    throw new PatternError(`non-${name} character in \\${letter}{} (closing brace missing?)`);
  }
  const code = parseInt(match[1]!, radix);
  if (code > 0x10ffff) throw new PatternError("character value in \\x{} or \\o{} is too large");
  if (code >= 0xd800 && code <= 0xdfff) {
    throw new PatternError("disallowed Unicode code point (>= 0xd800 && <= 0xdfff)");
  }
  return code;
}

function controlCharacter(reader: PatternReader): number {
  if (reader.ended) throw new PatternError("\\c at end of pattern");
  const code = reader.character();
  if (code > 127) throw new PatternError("\\c must be followed by an ASCII character");
  return String.fromCharCode(code).toUpperCase().charCodeAt(0) ^ 0x40;
}

const PROPERTY = /\{(\^?)([^}]*)\}|([A-Za-z])/y;

/** The set of `\p` or `\P` (the letter), which is read already. */
export function escapedProperty(reader: PatternReader, letter: string): CharacterSet {
  const match = reader.take(PROPERTY);
  if (match === null || match[2] === "") throw new PatternError("malformed \\P or \\p sequence");
  const set = propertySet(match[2] ?? match[3]!);
  if (set === undefined) throw new PatternError("unknown property name after \\P or \\p");
  return (letter === "P") !== (match[1] === "^") ? complementOf(set) : set;
}

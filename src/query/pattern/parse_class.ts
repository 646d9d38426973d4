/** Character classes: `[a-z]`, `[^\d[:alpha:]\Q]\E]`. */
import { type CharacterSet, complementOf, union } from "./character_set.ts";
import { withOtherCases } from "./letter_case.ts";
import { escapedSet, posixSet } from "./named_sets.ts";
import { escapedCharacter, escapedProperty } from "./parse_character.ts";
import { PatternError, type PatternReader } from "./reader.ts";

const POSIX_ITEM = /\[:(\^?)([^\]\\:]*):\]/y;
const COLLATING_ITEM = /\[([.=])[^\]\\]*?\1\]/y;

/** The set of a class; the reader stands at its `[`. */
export function parseClass(reader: PatternReader, ignoreCase: boolean, unicode: boolean): CharacterSet {
  reader.at++;
  const negated = reader.skip("^");
  const set = new ClassParser(reader, ignoreCase, unicode).run();
  return negated ? complementOf(set) : set;
}

/** A character, or a set that can be no end of a range. */
type Item = number | CharacterSet;

class ClassParser {
  private readonly sets: CharacterSet[] = [];
  private readonly ranges: number[] = [];
  private quoting = false;

  constructor(
    private readonly reader: PatternReader,
    private readonly ignoreCase: boolean,
    private readonly unicode: boolean,
  ) {}

  run(): CharacterSet {
    for (let first = true;; first = false) {
      this.readQuotes();
      if (!this.quoting && !first && this.reader.skip("]")) break;
      this.readRange(this.item());
    }
    const characters = union(this.ranges);
    return union(...this.sets, this.ignoreCase ? withOtherCases(characters) : characters);
  }

  private readRange(from: Item): void {
    this.readQuotes();
    if (typeof from !== "number") {
      this.sets.push(from);
    } else if (this.quoting || !this.isRangeNext()) {
      this.ranges.push(from, from);
    } else {
      this.reader.at++;
      this.readQuotes();
      const to = this.item();
      if (typeof to !== "number") throw new PatternError("invalid range in character class");
      if (to < from) throw new PatternError("range out of order in character class");
      this.ranges.push(from, to);
    }
  }

  private isRangeNext(): boolean {
    const { reader } = this;
    return reader.next === "-" && reader.text[reader.at + 1] !== "]";
  }

  /** `\Q` and `\E` are no items; inside of the quotation all is literal. */
  private readQuotes(): void {
    for (;;) {
      if (this.reader.skip("\\E")) this.quoting = false;
      else if (!this.quoting && this.reader.skip("\\Q")) this.quoting = true;
      else return;
    }
  }

  private item(): Item {
    const { reader } = this;
    if (reader.ended) throw new PatternError("missing terminating ] for character class");
    if (this.quoting) return reader.character();
    const posix = reader.take(POSIX_ITEM);
    if (posix !== null) return this.posixItem(posix[2]!, posix[1] === "^");
    if (reader.find(COLLATING_ITEM) !== null) {
      throw new PatternError("POSIX collating elements are not supported");
    }
    return reader.next === "\\" ? this.escape() : reader.character();
  }

  private posixItem(name: string, negated: boolean): CharacterSet {
    const set = posixSet(name, this.ignoreCase, this.unicode);
    if (set === undefined) throw new PatternError("unknown POSIX class name");
    return negated ? complementOf(set) : set;
  }

  private escape(): Item {
    const { reader } = this;
    reader.at++;
    if (reader.ended) throw new PatternError("\\ at end of pattern");
    const letter = String.fromCodePoint(reader.character());
    const set = escapedSet(letter, this.unicode);
    if (set !== undefined) return set;
    if (letter === "b") return 8;
    if (letter === "p" || letter === "P") return escapedProperty(reader, letter);
    if (letter === "N") throw new PatternError("\\N is not supported in a class");
    return escapedCharacter(reader, letter);
  }
}

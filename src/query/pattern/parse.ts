/**
 * From PCRE's syntax, which MongoDB speaks, to a tree. The pattern is read once from left to right; names and numbers of groups are
 * looked up at the end, since they may come later.
 *
 *     (*UCP) …                        options of the whole, at its very start
 *     a|b                             branches
 *     x* x+ x? x{2,3}                 with `?` behind lazy, with `+` possessive
 *     ( ) (?: ) (?> ) (?| )           groups: capturing, not, atomic, with numbers that start anew in each branch
 *     (?<n> ) (?'n' ) (?P<n> )        named ones
 *     (?= ) (?! ) (?<= ) (?<! )       look-around
 *     (?imsxUJ-imsx) (?i: )           modes, to the end of the group around them
 *     \1 \g{-1} \k<n> (?P=n)          back references
 *     (?R) (?1) (?&n) \g<1>           subroutines
 *     (?(1) | ) (?(<n>) | ) (?(?=x) | ) (?(R) | ) (?(DEFINE) )
 *     (*FAIL) (*ACCEPT) (*COMMIT) (*PRUNE) (*SKIP) (*THEN) (*MARK:n) (*SKIP:n)
 */
import { ANYTHING } from "./character_set.ts";
import { GroupTable } from "./group_table.ts";
import { type Modes, withModes } from "./modes.ts";
import { readName } from "./names.ts";
import { commentOf, linePosition, neverWithinPair, withinLine } from "./newline.ts";
import { parseClass } from "./parse_class.ts";
import { type EscapeContext, namedCall, namedReference, parseEscape, wordOf } from "./parse_escape.ts";
import { type Quantifier, readQuantifier } from "./quantifier.ts";
import { PatternError, PatternReader } from "./reader.ts";
import {
  choiceOf,
  type ConditionTest,
  type Cut,
  EMPTY,
  literal,
  type Node,
  type PatternTree,
  positionAt,
  sequenceOf,
} from "./syntax.ts";
import { readWholeOptions, type WholeOptions } from "./whole_options.ts";

const DEEPEST_PARENTHESES = 250;

/** @throws PatternError for what PCRE refuses */
export function parsePattern(text: string, modes: Modes): PatternTree {
  const reader = new PatternReader(text);
  const whole = readWholeOptions(reader);
  return new Parser(reader, modes, whole).run();
}

const MODE_SETTING = /\(\?([imsxUJX]*)(?:-([imsxUJX]*))?\)/y;
const MODE_GROUP = /\(\?([imsxUJX]*)(?:-([imsxUJX]*))?:/y;
const EXTENDED_SPACE = /[ \t\n\v\f\r]+/y;
const COMMENT = /\(\?#[^)]*(\)?)/y;
const WORD_START = "[[:<:]]";
const WORD_END = "[[:>:]]";
const POSIX_OUTSIDE = /\[([:.=])[^\]\\]*?\1\]/y;

class Parser {
  private readonly table = new GroupTable();
  private depth = 0;
  /** Behind a `\Q`. */
  private quoting = false;

  constructor(
    private readonly reader: PatternReader,
    private modes: Modes,
    private readonly whole: WholeOptions,
  ) {}

  run(): PatternTree {
    const root = this.alternatives();
    if (!this.reader.ended) throw new PatternError("unmatched parentheses");
    this.table.resolve();
    return { root: neverWithinPair(root, this.whole.newline), groupCount: this.table.count };
  }

  private alternatives(): Node {
    return choiceOf(this.branches());
  }

  /** All up to the closing parenthesis or the end; modes set inside end with it. */
  private branches(numbersStartAnew = false): Node[] {
    if (++this.depth > DEEPEST_PARENTHESES) throw new PatternError("parentheses are too deeply nested");
    const outer = this.modes;
    const before = this.table.count;
    let most = before;
    const branches = [this.branch()];
    while (this.reader.skip("|")) {
      most = Math.max(most, this.table.count);
      if (numbersStartAnew) this.table.count = before;
      branches.push(this.branch());
    }
    this.table.count = Math.max(most, this.table.count);
    this.modes = outer;
    this.depth--;
    return branches;
  }

  private branch(): Node {
    const items: Node[] = [];
    let repeatable = false;
    while (!this.reader.ended) {
      if (this.readQuotes()) continue;
      if (this.quoting) {
        items.push(literal(this.reader.character(), this.modes.ignoreCase));
        repeatable = true;
        continue;
      }
      if (this.reader.next === "|" || this.reader.next === ")") break;
      if (this.skipExtended() || this.skipComment()) continue;
      const quantifier = readQuantifier(this.reader);
      if (quantifier !== undefined) {
        if (!repeatable) throw new PatternError("nothing to repeat");
        items.push(this.repeated(items.pop()!, quantifier));
        repeatable = false;
      } else if (this.modeSetting()) {
        repeatable = false;
      } else {
        const inParentheses = this.reader.next === "(";
        const notRepeatable = this.reader.find(NOT_REPEATABLE) !== null;
        const item = this.item();
        items.push(item);
        repeatable = inParentheses ? !notRepeatable : item.kind !== "assertion" && item.kind !== "keep";
      }
    }
    return sequenceOf(items);
  }

  private readQuotes(): boolean {
    if (this.reader.skip("\\E")) {
      this.quoting = false;
      return true;
    }
    if (this.quoting || !this.reader.skip("\\Q")) return false;
    this.quoting = true;
    return true;
  }

  private skipExtended(): boolean {
    if (!this.modes.extended) return false;
    return this.reader.take(EXTENDED_SPACE) !== null ||
      this.reader.take(commentOf(this.whole.newline)) !== null;
  }

  private skipComment(): boolean {
    const comment = this.reader.take(COMMENT);
    if (comment?.[1] === "") throw new PatternError("missing ) after comment");
    return comment !== null;
  }

  private modeSetting(): boolean {
    const match = this.reader.take(MODE_SETTING);
    if (match !== null) this.modes = withModes(this.modes, match[1]!, match[2] ?? "");
    return match !== null;
  }

  private repeated(item: Node, { min, max, suffix }: Quantifier): Node {
    const lazy = (suffix === "?") !== this.modes.ungreedy && suffix !== "+";
    const node: Node = { kind: "repeat", item, min, max, lazy };
    return suffix === "+" ? { kind: "atomic", item: node } : node;
  }

  private item(): Node {
    const { reader, modes } = this;
    const { newline } = this.whole;
    switch (reader.next) {
      case "(":
        return this.group();
      case "[":
        return this.characterClass();
      case "\\":
        return parseEscape(this.escapeContext());
      case ".":
        reader.at++;
        return modes.dotAll ? { kind: "set", set: ANYTHING } : withinLine(newline);
      case "^":
        reader.at++;
        return modes.multiline ? linePosition("lineStart", newline) : positionAt("textStart");
      case "$":
        reader.at++;
        return linePosition(modes.multiline ? "lineEnd" : "lastLineEnd", newline);
      default:
        return literal(reader.character(), modes.ignoreCase);
    }
  }

  private characterClass(): Node {
    const { reader, whole } = this;
    if (reader.skip(WORD_START)) return this.wordEdge("start");
    if (reader.skip(WORD_END)) return this.wordEdge("end");
    const outside = reader.find(POSIX_OUTSIDE);
    if (outside !== null) {
      throw new PatternError(
        outside[1] === ":"
          ? "POSIX named classes are supported only within a class"
          : "POSIX collating elements are not supported",
      );
    }
    return { kind: "set", set: parseClass(reader, this.modes.ignoreCase, whole.unicode) };
  }

  private wordEdge(edge: "start" | "end"): Node {
    const word = wordOf(this.whole);
    const item: Node = { kind: "set", set: word };
    const look: Node = { kind: "look", behind: edge === "end", negated: false, item };
    return sequenceOf([{ kind: "assertion", at: "wordBorder", word }, look]);
  }

  private group(): Node {
    const { reader } = this;
    if (reader.find(VERB_START) !== null) return this.verb();
    if (!reader.startsWith("(?")) {
      reader.at++;
      return this.capturing(undefined);
    }
    for (const [opening, read] of GROUPS) {
      if (reader.skip(opening)) return read(this);
    }
    const named = reader.take(NAMED_GROUP);
    if (named !== null) return this.capturing(readName(reader, named[1] === "'" ? "'" : ">", named[0]));
    const call = reader.take(NUMBERED_CALL);
    if (call !== null) return this.numberedCall(call[1]!);
    const callout = reader.take(CALLOUT);
    if (callout !== null) return callOut(callout);
    const mode = reader.take(MODE_GROUP);
    if (mode === null) throw this.unknownGroup();
    const outer = this.modes;
    this.modes = withModes(outer, mode[1]!, mode[2] ?? "");
    const item = this.body();
    this.modes = outer;
    return item;
  }

  private unknownGroup(): PatternError {
    const { reader } = this;
    if (reader.startsWith("(?P")) return new PatternError("unrecognized character after (?P");
    if (reader.startsWith("(?<")) return new PatternError("unrecognized character after (?<");
    if (reader.startsWith("(?+")) return new PatternError("digit expected after (?+");
    return new PatternError("unrecognized character after (? or (?-");
  }

  /** The inside of a group, its closing parenthesis read too. */
  body(numbersStartAnew = false): Node {
    const item = choiceOf(this.branches(numbersStartAnew));
    this.close();
    return item;
  }

  private close(): void {
    if (!this.reader.skip(")")) throw new PatternError("missing )");
  }

  private capturing(name: string | undefined): Node {
    const number = this.table.open(name, this.modes.duplicateNames);
    const node: Node = { kind: "group", number, item: this.body() };
    this.table.close();
    return node;
  }

  look(behind: boolean, negated: boolean): Node {
    return { kind: "look", behind, negated, item: this.body() };
  }

  namedReference(): Node {
    return namedReference(this.escapeContext(), ")");
  }

  namedCall(): Node {
    return namedCall(this.escapeContext(), ")");
  }

  private escapeContext(): EscapeContext {
    const { reader, table, modes, whole } = this;
    return { reader, table, ignoreCase: modes.ignoreCase, whole };
  }

  private numberedCall(text: string): Node {
    if (!this.reader.skip(")")) throw new PatternError("(?R or (?[+-]digits must be followed by )");
    return this.table.callNumbered(text === "R" ? "0" : text);
  }

  condition(): Node {
    const test = this.conditionTest();
    const branches = this.branches();
    this.close();
    if (test.kind === "define" && branches.length > 1) {
      throw new PatternError("DEFINE group contains more than one branch");
    }
    if (branches.length > 2) throw new PatternError("conditional group contains more than two branches");
    return { kind: "condition", test, yes: branches[0]!, no: branches[1] ?? EMPTY };
  }

  /** The reader stands behind `(?(`. */
  private conditionTest(): ConditionTest {
    const { reader, table } = this;
    const number = reader.take(CONDITION_NUMBER);
    if (number !== null) return { kind: "groups", numbers: table.numbered(number[1]!) };
    const recursion = reader.take(CONDITION_RECURSION);
    if (recursion !== null) {
      const [, name, digits] = recursion;
      const numbers = name === undefined ? digits === "" ? [-1] : table.numbered(digits!) : table.named(name);
      return { kind: "recursion", numbers };
    }
    if (reader.skip("DEFINE)")) return { kind: "define" };
    const name = reader.take(CONDITION_NAME);
    if (name !== null) return { kind: "groups", numbers: table.named((name[1] ?? name[2] ?? name[3])!) };
    reader.at--;
    const look = reader.find(LOOK_START) === null ? undefined : this.group();
    if (look?.kind === "look") return look;
    throw new PatternError(
      reader.find(CONDITION_WORD) === null
        ? "assertion expected after (?( or (?(?C)"
        : "malformed number or name after (?(",
    );
  }

  private verb(): Node {
    const match = this.reader.take(VERB);
    const [, name, argument] = match ?? [];
    if ((name === "MARK" || name === "") && (argument ?? "") === "") {
      throw new PatternError("(*MARK) must have an argument");
    }
    const read = name === undefined ? undefined : VERBS[name];
    if (read === undefined) throw new PatternError("(*VERB) not recognized or malformed");
    if (argument !== undefined && /^(?:F|FAIL|ACCEPT|COMMIT)$/.test(name!)) {
      throw new PatternError("an argument is not allowed for (*ACCEPT), (*FAIL), or (*COMMIT)");
    }
    if (read === "mark") return { kind: "mark", name: argument! };
    if (read === "skip" && argument !== undefined) return { kind: "skipTo", name: argument };
    if (read === "accept") return { kind: "accept", openGroups: this.table.openGroups() };
    return read === "fail" ? { kind: "fail" } : { kind: "cut", cut: read };
  }
}

/** Verbs and callouts. */
const NOT_REPEATABLE = /\(\*[A-Za-z:]|\(\?C/y;
const VERB_START = /\(\*(?=[A-Za-z:])/y;
const VERB = /\(\*([A-Z]*)(?::([^)]*))?\)/y;
const VERBS: Readonly<Record<string, "fail" | "accept" | "mark" | Cut>> = {
  "": "mark",
  ACCEPT: "accept",
  COMMIT: "commit",
  F: "fail",
  FAIL: "fail",
  MARK: "mark",
  PRUNE: "prune",
  SKIP: "skip",
  THEN: "then",
};

/** What opens a group, and how it goes on. */
const GROUPS: readonly (readonly [string, (parser: Parser) => Node])[] = [
  ["(?:", (parser) => parser.body()],
  ["(?|", (parser) => parser.body(true)],
  ["(?>", (parser) => ({ kind: "atomic", item: parser.body() })],
  ["(?=", (parser) => parser.look(false, false)],
  ["(?!", (parser) => parser.look(false, true)],
  ["(?<=", (parser) => parser.look(true, false)],
  ["(?<!", (parser) => parser.look(true, true)],
  ["(?(", (parser) => parser.condition()],
  ["(?&", (parser) => parser.namedCall()],
  ["(?P>", (parser) => parser.namedCall()],
  ["(?P=", (parser) => parser.namedReference()],
];

const NAMED_GROUP = /\(\?(?:P?<|(?='))('?)/y;
const NUMBERED_CALL = /\(\?(R|[+-]?\d+)/y;
const CALLOUT = /\(\?C(\d*)(\)?)/y;
const LOOK_START = /\(\?(?:=|!|<=|<!)/y;
const CONDITION_NUMBER = /([+-]?\d+)\)/y;
const CONDITION_RECURSION = /R(?:&([A-Za-z_]\w*)|(\d*))\)/y;
const CONDITION_NAME = /(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'|([A-Za-z_]\w*))\)/y;
const CONDITION_WORD = /\([\w<'+-]/y;

function callOut([, number, closing]: RegExpExecArray): Node {
  if (Number(number) > 255) throw new PatternError("number after (?C is > 255");
  if (closing === "") throw new PatternError("closing ) for (?C expected");
  return EMPTY;
}

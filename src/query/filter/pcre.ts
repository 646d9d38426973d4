/**
 * From PCRE's syntax, which MongoDB speaks, to a JavaScript RegExp with the `u` flag that finds the same.
 *
 * What differs and is rewritten while the pattern is read once from left to right:
 *
 * - `.` excludes only `\n`; `$` also matches before a last `\n`; `^ $` of multi-line mode know only `\n`.
 * - `\s \S` are ASCII; `\A \z \Z \h \H \R \N \Q…\E \a \e \x{…} \o{…}`, POSIX classes such as `[[:alpha:]]`.
 * - Inline options `(?i)`, `(?i:…)`, comments `(?#…)`, extended mode (`x`).
 * - Atomic groups `(?>…)` and possessive quantifiers become a look-ahead that captures, and a back reference.
 * - `(?P<name>…)`, `(?P=name)`, `\k{name}`, `\g{n}`; escapes of characters that need none; literal `{ } ]`.
 *
 * Recursion, conditionals, callouts and `\K \G \C \X` have no counterpart: they get an error that says so.
 */
import { CommandError } from "../../base/mod.ts";
import { complementOf, POSIX, SETS } from "./pcre_class.ts";

const CACHE_ENTRIES = 256;
const cache = new Map<string, RegExp>();

/**
 * The JavaScript form of a PCRE pattern. The result is stateless: `test` may be called on it at will.
 *
 * @param options MongoDB's letters: i, m, s, x, u
 * @throws CommandError 51108 for an unknown option, 51091 for a pattern that is wrong or has no counterpart
 */
export function translatePattern(pattern: string, options: string): RegExp {
  const key = `${options}/${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const expression = translate(pattern, options);
  if (cache.size >= CACHE_ENTRIES) cache.clear();
  cache.set(key, expression);
  return expression;
}

function translate(pattern: string, options: string): RegExp {
  for (const option of options) {
    if (!"imsxu".includes(option)) {
      throw new CommandError(51108, ` invalid flag in regex options: ${option}`);
    }
  }
  if (pattern.includes("\0")) {
    throw new CommandError("BadValue", "Regular expression cannot contain an embedded null byte");
  }
  const modes: Modes = {
    multiline: options.includes("m"),
    dotAll: options.includes("s"),
    extended: options.includes("x"),
    ignoreCase: options.includes("i"),
  };
  const translator = new Translator(pattern, modes);
  const source = translator.run();
  try {
    return new RegExp(source, modes.ignoreCase || translator.wholeIgnoreCase ? "iu" : "u");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (/named/.test(error.message)) throw invalid("reference to non-existent subpattern");
    throw invalid(error.message.replace(/^Invalid regular expression: .*: /s, "").toLowerCase());
  }
}

function invalid(what: string): CommandError {
  return new CommandError(51091, `Regular expression is invalid: ${what}`);
}

interface Modes {
  multiline: boolean;
  dotAll: boolean;
  extended: boolean;
  ignoreCase: boolean;
}

/** Without the `m` flag these are the ends of the text, as in PCRE; the modes of lines are spelled out. */
const START = "^";
const END = "$";
const LINE_START = `(?:${START}|(?<=\\n)(?=[\\s\\S]))`;
const LINE_END = `(?=\\n|${END})`;
const LAST_LINE_END = `(?=\\n?${END})`;

/**
 * One pass over one pattern. Output is collected as atoms, so that a quantifier can rewrite the one before it. Every
 * capturing group gets a name made from its number (`g1`), since the helpers of atomic groups would shift the numbers.
 */
class Translator {
  private at = 0;
  /** Number of the pattern's own capturing groups read so far. */
  private groups = 0;
  private atomicGroups = 0;
  private readonly numberOfName = new Map<string, number>();
  private depth = 0;
  /** `(?i)` at the very start holds for all: it becomes the flag. */
  wholeIgnoreCase = false;

  constructor(private readonly pattern: string, private modes: Modes) {}

  run(): string {
    const source = this.alternatives();
    if (this.at < this.pattern.length) throw invalid("unmatched closing parenthesis");
    return source;
  }

  /** Everything up to the closing parenthesis or the end; modes set inside end with it. */
  private alternatives(): string {
    const outer = this.modes;
    const atoms: string[] = [];
    /** The group that is open because the case mode changed; it must end and start anew around each `|`. */
    let wrapper = "";
    while (this.at < this.pattern.length && this.pattern[this.at] !== ")") {
      const char = this.pattern[this.at]!;
      if (this.skipExtended(char) || this.skipComment()) continue;
      if (this.inlineModes()) {
        if (this.depth === 0 && atoms.length === 0) {
          this.wholeIgnoreCase = this.modes.ignoreCase;
          outer.ignoreCase = this.modes.ignoreCase;
        } else {
          if (wrapper !== "") atoms.push(")");
          wrapper = caseWrapper(outer, this.modes);
          atoms.push(wrapper);
        }
      } else if (char === "|") {
        this.at++;
        atoms.push(wrapper === "" ? "|" : `)|${wrapper}`);
      } else if (!this.quantifier(atoms)) {
        atoms.push(this.atom(char));
      }
    }
    this.modes = outer;
    return atoms.join("") + (wrapper === "" ? "" : ")");
  }

  private skipExtended(char: string): boolean {
    if (!this.modes.extended) return false;
    if (/\s/.test(char)) {
      this.at++;
      return true;
    }
    if (char !== "#") return false;
    const end = this.pattern.indexOf("\n", this.at);
    this.at = end < 0 ? this.pattern.length : end + 1;
    return true;
  }

  private skipComment(): boolean {
    if (!this.pattern.startsWith("(?#", this.at)) return false;
    const end = this.pattern.indexOf(")", this.at);
    if (end < 0) throw invalid("missing ) after (?# comment");
    this.at = end + 1;
    return true;
  }

  /** `(?i)`, `(?s-i)`: to the end of the group around it. */
  private inlineModes(): boolean {
    const match = /^\(\?([imsx]*)(?:-([imsx]*))?\)/.exec(this.pattern.slice(this.at, this.at + 16));
    if (match === null) return false;
    this.modes = withModes(this.modes, match[1]!, match[2] ?? "");
    this.at += match[0].length;
    return true;
  }

  /** `* + ? {n,m}` with a lazy or possessive mark behind. */
  private quantifier(atoms: string[]): boolean {
    const match = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.pattern.slice(this.at, this.at + 24));
    if (match === null) return false;
    const last = atoms.pop();
    if (last === undefined || last.endsWith("|") && last !== "\\|" || last.endsWith("i:")) {
      throw invalid("quantifier does not follow a repeatable item");
    }
    this.at += match[0].length;
    const mark = this.pattern[this.at];
    const body = `${isAssertion(last) ? `(?:${last})` : last}${match[0]}`;
    if (mark === "?") {
      this.at++;
      atoms.push(`${body}?`);
    } else if (mark === "+") {
      this.at++;
      atoms.push(this.atomic(body));
    } else {
      atoms.push(body);
    }
    return true;
  }

  /** What matched once is not tried otherwise: a look-ahead captures it, a back reference takes it. */
  private atomic(body: string): string {
    const name = `atomic${++this.atomicGroups}`;
    return `(?:(?=(?<${name}>${body}))\\k<${name}>)`;
  }

  private atom(char: string): string {
    switch (char) {
      case "(":
        return this.group();
      case "[":
        return this.characterClass();
      case "\\":
        return this.escape();
      case ".":
        this.at++;
        return this.modes.dotAll ? "[\\s\\S]" : "[^\\n]";
      case "^":
        this.at++;
        return this.modes.multiline ? LINE_START : START;
      case "$":
        this.at++;
        return this.modes.multiline ? LINE_END : LAST_LINE_END;
      default:
        return this.literal();
    }
  }

  private literal(): string {
    const char = String.fromCodePoint(this.pattern.codePointAt(this.at)!);
    this.at += char.length;
    return escapeLiteral(char);
  }

  private group(): string {
    const rest = this.pattern.slice(this.at);
    const match = GROUP_START.exec(rest);
    if (match === null) return this.plainGroup();
    const [start] = match;
    const opening = match[1]!;
    if (opening === "P>" || /^[R&+\-0-9(C|]$/.test(opening)) {
      throw invalid(`(?${opening} is not supported: no recursion, conditionals or callouts`);
    }
    this.at += start.length;
    if (opening === "P=") return this.namedReference(/^([A-Za-z_]\w*)\)/);
    if (opening === ">") return this.atomic(this.body());
    if (opening.endsWith("<") || opening === "'") return this.namedGroup(opening === "'" ? "'" : ">");
    if (/^[:=!]$|^<[=!]$/.test(opening)) return `(?${opening}${this.body()})`;
    return this.modeGroup(opening);
  }

  private plainGroup(): string {
    if (this.pattern[this.at + 1] === "?" || this.pattern[this.at + 1] === "*") {
      throw invalid("unrecognized character after (? or (?-");
    }
    this.at++;
    return this.capturing();
  }

  private namedGroup(closing: string): string {
    const end = this.pattern.indexOf(closing, this.at);
    const name = this.pattern.slice(this.at, end < 0 ? undefined : end);
    if (end < 0 || !/^[A-Za-z_]\w*$/.test(name)) throw invalid("subpattern name expected");
    this.at = end + 1;
    this.numberOfName.set(name, this.groups + 1);
    return this.capturing();
  }

  private capturing(): string {
    const number = ++this.groups;
    return `(?<g${number}>${this.body()})`;
  }

  private modeGroup(opening: string): string {
    const [on, off] = opening.slice(0, -1).split("-") as [string, string | undefined];
    const outer = this.modes;
    this.modes = withModes(outer, on, off ?? "");
    const wrapper = caseWrapper(outer, this.modes);
    const body = this.body();
    this.modes = outer;
    return `${wrapper}${body})`;
  }

  /** The inside of a group, its closing parenthesis read too. */
  private body(): string {
    this.depth++;
    const source = this.alternatives();
    this.depth--;
    if (this.pattern[this.at] !== ")") throw invalid("missing closing parenthesis");
    this.at++;
    return source;
  }

  private namedReference(form: RegExp): string {
    const match = form.exec(this.pattern.slice(this.at));
    if (match === null) throw invalid("subpattern name expected");
    this.at += match[0].length;
    const number = this.numberOfName.get(match[1]!);
    if (number === undefined) throw invalid("reference to non-existent subpattern");
    return this.reference(number);
  }

  private escape(): string {
    const char = this.pattern[this.at + 1];
    if (char === undefined) throw invalid("\\ at end of pattern");
    this.at += 2;
    const set = SETS[char.toLowerCase()];
    if (set !== undefined) return char === char.toLowerCase() ? `[${set}]` : `[^${set}]`;
    switch (char) {
      case "A":
        return START;
      case "z":
        return END;
      case "Z":
        return LAST_LINE_END;
      case "b":
        return "(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))";
      case "B":
        return "(?:(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_]))";
      case "R":
        return "(?:\\r\\n|[\\n\\v\\f\\r\\x85\\u2028\\u2029])";
      case "N":
        return "[^\\n]";
      case "Q":
        return this.quoted();
      case "E":
        return "(?:)";
      case "k":
        return this.namedReference(/^[{<'](\w+)[}>']/);
      case "g":
        return this.numberedReference();
      case "K":
      case "G":
      case "C":
      case "X":
        throw invalid(`\\${char} is not supported`);
      case "p":
      case "P":
        return this.property(char);
      default:
        return this.characterOrReference(char);
    }
  }

  private quoted(): string {
    const end = this.pattern.indexOf("\\E", this.at);
    const text = this.pattern.slice(this.at, end < 0 ? undefined : end);
    this.at = end < 0 ? this.pattern.length : end + 2;
    return text === "" ? "(?:)" : `(?:${[...text].map(escapeLiteral).join("")})`;
  }

  private property(char: string): string {
    const match = /^(?:\{(\^?)(\w+&?)\}|([A-Z]))/.exec(this.pattern.slice(this.at));
    if (match === null) throw invalid("malformed \\P or \\p sequence");
    this.at += match[0].length;
    const name = match[2] ?? match[3]!;
    const negated = (char === "P") !== (match[1] === "^");
    const known = /^(?:[A-Z][a-z]?)$/.test(name) ? name : name === "Any" ? "Any" : `Script=${name}`;
    return `\\${negated ? "P" : "p"}{${known}}`;
  }

  private numberedReference(): string {
    const match = /^(?:\{(-?\d+)\}|(-?\d+)|\{(\w+)\})/.exec(this.pattern.slice(this.at));
    if (match === null) throw invalid("a numbered reference must not be zero");
    this.at += match[0].length;
    if (match[3] !== undefined) return this.reference(this.numberOfName.get(match[3]) ?? 0);
    const number = Number(match[1] ?? match[2]);
    return this.reference(number < 0 ? this.groups + 1 + number : number);
  }

  private reference(number: number): string {
    return `\\k<g${number}>`;
  }

  private characterOrReference(char: string): string {
    if (char >= "1" && char <= "9") {
      const digits = /^\d*/.exec(this.pattern.slice(this.at))![0];
      const number = Number(char + digits);
      if (number < 10 || number <= this.groups) {
        this.at += digits.length;
        return this.reference(number);
      }
    }
    return escapeLiteral(this.escapedCharacter(char));
  }

  /** The one character that an escape names; `at` stands behind the letter. */
  private escapedCharacter(char: string): string {
    const simple = { a: "\x07", e: "\x1b", f: "\f", n: "\n", r: "\r", t: "\t" }[char];
    if (simple !== undefined) return simple;
    if (char === "x") return this.codePoint(/^(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{0,2}))/, 16);
    if (char === "o") return this.codePoint(/^\{([0-7]+)\}/, 8);
    if (char >= "0" && char <= "7") {
      this.at--;
      return this.codePoint(/^([0-7]{1,3})/, 8);
    }
    if (char === "c") {
      const control = this.pattern[this.at++] ?? "";
      return String.fromCharCode(control.toUpperCase().charCodeAt(0) ^ 64);
    }
    if (/[A-Za-z]/.test(char)) throw invalid("unrecognized character follows \\");
    const whole = String.fromCodePoint(this.pattern.codePointAt(this.at - 1)!);
    this.at += whole.length - 1;
    return whole;
  }

  private codePoint(form: RegExp, radix: number): string {
    const match = form.exec(this.pattern.slice(this.at));
    if (match === null) throw invalid("digits missing in \\x{} or \\o{}");
    this.at += match[0].length;
    const code = parseInt((match[1] ?? match[2]) || "0", radix);
    if (code > 0x10ffff) throw invalid("character code point value in \\x{} or \\o{} is too large");
    return String.fromCodePoint(code);
  }

  private characterClass(): string {
    this.at++;
    const negated = this.pattern[this.at] === "^";
    if (negated) this.at++;
    let body = "";
    for (let first = true;; first = false) {
      const char = this.pattern[this.at];
      if (char === undefined) throw invalid("missing terminating ] for character class");
      if (char === "]" && !first) break;
      body += this.classItem(char);
    }
    this.at++;
    return `[${negated ? "^" : ""}${body}]`;
  }

  private classItem(char: string): string {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.pattern.slice(this.at, this.at + 16));
    if (posix !== null) return this.posixClass(posix);
    if (char === "\\") return this.classEscape();
    if (char === "-") {
      this.at++;
      return this.isRange() ? "-" : "\\-";
    }
    const literal = String.fromCodePoint(this.pattern.codePointAt(this.at)!);
    this.at += literal.length;
    return escapeInClass(literal);
  }

  /** Whether the hyphen just read stands between two single characters. */
  private isRange(): boolean {
    const before = this.pattern.slice(0, this.at - 1);
    const next = this.pattern.slice(this.at);
    const startsClass = /\[\^?$/.test(before) && !/\\\[\^?$/.test(before);
    return !startsClass && !/\\[sSdDwWhHvV]$/.test(before) && !before.endsWith(":]") &&
      !/^(?:\]|\\[sSdDwWhHvV]|\[:)/.test(next);
  }

  private posixClass(match: RegExpExecArray): string {
    const set = POSIX[match[2]!];
    if (set === undefined) throw invalid("unknown POSIX class name");
    this.at += match[0].length;
    return match[1] === "^" ? complementOf(set) : set;
  }

  private classEscape(): string {
    const char = this.pattern[this.at + 1];
    if (char === undefined) throw invalid("\\ at end of pattern");
    this.at += 2;
    const set = SETS[char.toLowerCase()];
    if (set !== undefined) return char === char.toLowerCase() ? set : complementOf(set);
    if (char === "b") return "\\x08";
    if (char === "p" || char === "P") return this.property(char);
    if (char === "Q") {
      const end = this.pattern.indexOf("\\E", this.at);
      const text = this.pattern.slice(this.at, end < 0 ? undefined : end);
      this.at = end < 0 ? this.pattern.length : end + 2;
      return [...text].map(escapeInClass).join("");
    }
    if (char === "E") return "";
    return escapeInClass(this.escapedCharacter(char));
  }
}

const GROUP_START = /^\(\?(P=|P>|P?<(?![=!])|'|<[=!]|[:=!>]|[imsx]*(?:-[imsx]*)?:|[R&+\-0-9(C|])/;

function withModes(modes: Modes, on: string, off: string): Modes {
  const of = (letter: string, now: boolean) => off.includes(letter) ? false : on.includes(letter) || now;
  return {
    ignoreCase: of("i", modes.ignoreCase),
    multiline: of("m", modes.multiline),
    dotAll: of("s", modes.dotAll),
    extended: of("x", modes.extended),
  };
}

/** The group that carries `inner`'s case mode inside of `outer`'s, opened. */
function caseWrapper(outer: Modes, inner: Modes): string {
  if (inner.ignoreCase === outer.ignoreCase) return "(?:";
  return inner.ignoreCase ? "(?i:" : "(?-i:";
}

function isAssertion(atom: string): boolean {
  return atom === START || /^\(\?<?[=!]/.test(atom);
}

function escapeLiteral(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function escapeInClass(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char;
}

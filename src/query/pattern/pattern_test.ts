import { ok, strictEqual, throws } from "node:assert/strict";
import { MAX_PATTERN_STEPS, MAX_PATTERN_WAYS } from "../../base/mod.ts";
import { compileTree } from "./compile.ts";
import { Matcher } from "./matcher.ts";
import { PatternLimitError, STEPS_BEFORE_MEMO } from "./search_budget.ts";
import { parsePattern } from "./parse.ts";
import { compilePattern } from "./pattern.ts";

const NO_MODES = {
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  extended: false,
  ungreedy: false,
  duplicateNames: false,
};

/** Pattern, options, text, whether PCRE finds it (checked on MongoDB 6.0.5). */
const CASES: readonly [string, string, string, boolean][] = [
  ["^b$", "", "a\nb\nc", false],
  ["^b$", "m", "a\nb\nc", true],
  ["b$", "", "b\n", true],
  ["b\\z", "", "b\n", false],
  ["b\\Z", "", "b\n", true],
  ["a.c", "", "a\nc", false],
  ["a.c", "s", "a\nc", true],
  ["a.c", "", "a\rc", true],
  ["a b # comment\n", "x", "ab", true],
  ["a[ ]b", "x", "a b", true],
  ["(?i)ABC", "", "abc", true],
  ["a(?i)b|c", "", "C", true],
  ["a(?i)b|c", "", "AB", false],
  ["((?i)a)b", "", "Ab", true],
  ["((?i)a)b", "", "AB", false],
  ["(?i:a)b", "", "Ab", true],
  ["(?-i:a)b", "i", "AB", false],
  ["(?s).(?-s).", "", "\na", true],
  ["[[:alpha:]_]+$", "", "a_b", true],
  ["[[:^digit:]]", "", "123", false],
  ["[^\\W\\d]", "", "1-", false],
  ["\\d+", "", "٣", false],
  ["^\\s$", "", "\u00a0", false],
  ["^\\h$", "", "\u00a0", true],
  ["^\\R$", "", "\r\n", true],
  ["a++a", "", "aaa", false],
  ["(?>a+)b", "", "aab", true],
  ["(?>a|ab)c", "", "abc", false],
  ["(a)(?>b)\\1", "", "aba", true],
  ["(?P<x>a)(?P=x)", "", "aa", true],
  ["(?<x>a)\\k{x}", "", "aa", true],
  ["(?'x'a)\\g{1}", "", "aa", true],
  ["(a)\\g{-1}", "", "aa", true],
  ["\\Qa.b\\E", "", "axb", false],
  ["\\x41\\x{42}\\103", "", "ABC", true],
  ["a{,3}", "", "a{,3}", true],
  ["{}]", "", "{}]", true],
  ["\\-\\_\\@\\ ", "", "-_@ ", true],
  ["[a\\-z]", "", "b", false],
  ["[]a]", "", "]", true],
  ["[^]a]", "", "]", false],
  ["(?=a)+a", "", "a", true],
  ["(?:\\b)+a", "", "a", true],
  ["(?<!x)a", "", "xa", false],
  ["\\bü", "", "xü", true],
  ["^.$", "", "😀", true],
  ["^[😀-😂]$", "", "😁", true],
  ["(?#comment)a", "", "a", true],
  ["\\p{Lu}", "", "É", true],
  ["\\p{Greek}", "", "α", true],
  ["\\cA", "", "\x01", true],
  ["", "", "anything", true],
];

Deno.test("patterns find what PCRE finds", () => {
  for (const [pattern, options, text, expected] of CASES) {
    const expression = compilePattern(pattern, options);
    strictEqual(expression.test(text), expected, `/${pattern}/${options} on ${JSON.stringify(text)}`);
  }
});

Deno.test("the translation keeps no state between uses", () => {
  const expression = compilePattern("a", "");
  strictEqual(expression.test("a") && expression.test("a"), true);
  strictEqual(compilePattern("a", ""), expression);
});

Deno.test("wrong patterns are refused with what is wrong", () => {
  const cases: readonly [string, string, number, string][] = [
    ["((", "", 51091, "Regular expression is invalid: missing )"],
    ["a)", "", 51091, "Regular expression is invalid: unmatched parentheses"],
    ["*a", "", 51091, "Regular expression is invalid: nothing to repeat"],
    ["a|*", "", 51091, "Regular expression is invalid: nothing to repeat"],
    ["a**", "", 51091, "Regular expression is invalid: nothing to repeat"],
    ["^*", "", 51091, "Regular expression is invalid: nothing to repeat"],
    ["[a", "", 51091, "Regular expression is invalid: missing terminating ] for character class"],
    ["[z-a]", "", 51091, "Regular expression is invalid: range out of order in character class"],
    ["[a-\\d]", "", 51091, "Regular expression is invalid: invalid range in character class"],
    ["[[:foo:]]", "", 51091, "Regular expression is invalid: unknown POSIX class name"],
    [
      "[:alpha:]",
      "",
      51091,
      "Regular expression is invalid: POSIX named classes are supported only within a class",
    ],
    ["[[.a.]]", "", 51091, "Regular expression is invalid: POSIX collating elements are not supported"],
    ["\\", "", 51091, "Regular expression is invalid: \\ at end of pattern"],
    ["a(?", "", 51091, "Regular expression is invalid: unrecognized character after (? or (?-"],
    ["(?P", "", 51091, "Regular expression is invalid: unrecognized character after (?P"],
    ["(?<>a)", "", 51091, "Regular expression is invalid: unrecognized character after (?<"],
    ["(?<1>a)", "", 51091, "Regular expression is invalid: group name must start with a non-digit"],
    [
      "(?<n",
      "",
      51091,
      "Regular expression is invalid: syntax error in subpattern name (missing terminator)",
    ],
    ["(?P=", "", 51091, "Regular expression is invalid: subpattern name expected"],
    ["(?<n>a)|(?<n>b)", "", 51091, "Regular expression is invalid: two named subpatterns have the same name"],
    ["\\2(a)", "", 51091, "Regular expression is invalid: reference to non-existent subpattern"],
    ["(?<n>a)\\k<m>", "", 51091, "Regular expression is invalid: reference to non-existent subpattern"],
    ["(?1)", "", 51091, "Regular expression is invalid: reference to non-existent subpattern"],
    ["\\g0", "", 51091, "Regular expression is invalid: a numbered reference must not be zero"],
    ["(?R)", "", 51091, "Regular expression is invalid: recursive call could loop indefinitely"],
    ["(?Ra)", "", 51091, "Regular expression is invalid: (?R or (?[+-]digits must be followed by )"],
    [
      "(?(1)a|b|c)(x)",
      "",
      51091,
      "Regular expression is invalid: conditional group contains more than two branches",
    ],
    ["(?()a)", "", 51091, "Regular expression is invalid: assertion expected after (?( or (?(?C)"],
    ["(?(1", "", 51091, "Regular expression is invalid: malformed number or name after (?("],
    ["a{2,1}", "", 51091, "Regular expression is invalid: numbers out of order in {} quantifier"],
    ["a{65536}", "", 51091, "Regular expression is invalid: number too big in {} quantifier"],
    ["(?<=a+)b", "", 51091, "Regular expression is invalid: lookbehind assertion is not fixed length"],
    ["(?<=ab(c|de))f", "", 51091, "Regular expression is invalid: lookbehind assertion is not fixed length"],
    ["\\x{}", "", 51091, "Regular expression is invalid: digits missing in \\x{} or \\o{}"],
    [
      "\\x{110000}",
      "",
      51091,
      "Regular expression is invalid: character value in \\x{} or \\o{} is too large",
    ],
    [
      "\\x{d800}",
      "",
      51091,
      "Regular expression is invalid: disallowed Unicode code point (>= 0xd800 && <= 0xdfff)",
    ],
    ["\\o", "", 51091, "Regular expression is invalid: missing opening brace after \\o"],
    [
      "\\u0041",
      "",
      51091,
      "Regular expression is invalid: PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u",
    ],
    ["\\c", "", 51091, "Regular expression is invalid: \\c at end of pattern"],
    ["\\p{Foo}", "", 51091, "Regular expression is invalid: unknown property name after \\P or \\p"],
    ["\\p", "", 51091, "Regular expression is invalid: malformed \\P or \\p sequence"],
    ["(?#", "", 51091, "Regular expression is invalid: missing ) after comment"],
    ["(*FOO)", "", 51091, "Regular expression is invalid: (*VERB) not recognized or malformed"],
    [
      "(*COMMIT:a)a",
      "",
      51091,
      "Regular expression is invalid: an argument is not allowed for (*ACCEPT), (*FAIL), or (*COMMIT)",
    ],
    ["(*MARK)", "", 51091, "Regular expression is invalid: (*MARK) must have an argument"],
    ["(?C256)a", "", 51091, "Regular expression is invalid: number after (?C is > 255"],
    [
      "\\k",
      "",
      51091,
      "Regular expression is invalid: \\k is not followed by a braced, angle-bracketed, or quoted name",
    ],
    [
      "\\g{",
      "",
      51091,
      "Regular expression is invalid: \\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number",
    ],
    ["a\0b", "", 2, "Regular expression cannot contain an embedded null byte"],
    ["a", "q", 51108, " invalid flag in regex options: q"],
  ];
  for (const [pattern, options, code, message] of cases) {
    throws(() => compilePattern(pattern, options), { code, message }, pattern);
  }
});

Deno.test("from one start no more ways are tried in vain than MongoDB's engine makes calls", () => {
  // A reference keeps the search from remembering where it was.
  const program = compileTree(parsePattern("(a+)+\\1c", NO_MODES));
  const matcher = new Matcher(program, MAX_PATTERN_STEPS, STEPS_BEFORE_MEMO);
  matcher.begin("a".repeat(50), 0);
  throws(() => matcher.matchAt(0), PatternLimitError);
  ok(matcher.stepsTaken < 2 * MAX_PATTERN_WAYS, `${matcher.stepsTaken} steps`);
});

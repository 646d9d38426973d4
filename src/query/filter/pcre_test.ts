import { strictEqual, throws } from "node:assert/strict";
import { translatePattern } from "./pcre.ts";

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
    const expression = translatePattern(pattern, options);
    strictEqual(expression.test(text), expected, `/${pattern}/${options} on ${JSON.stringify(text)}`);
  }
});

Deno.test("the translation keeps no state between uses", () => {
  const expression = translatePattern("a", "");
  strictEqual(expression.test("a") && expression.test("a"), true);
  strictEqual(translatePattern("a", ""), expression);
});

Deno.test("wrong patterns are refused with what is wrong", () => {
  const cases: readonly [string, string, number, string][] = [
    ["((", "", 51091, "Regular expression is invalid: missing closing parenthesis"],
    ["a)", "", 51091, "Regular expression is invalid: unmatched closing parenthesis"],
    ["*a", "", 51091, "Regular expression is invalid: quantifier does not follow a repeatable item"],
    ["a|*", "", 51091, "Regular expression is invalid: quantifier does not follow a repeatable item"],
    ["[a", "", 51091, "Regular expression is invalid: missing terminating ] for character class"],
    ["[z-a]", "", 51091, "Regular expression is invalid: range out of order in character class"],
    ["\\", "", 51091, "Regular expression is invalid: \\ at end of pattern"],
    ["a(?", "", 51091, "Regular expression is invalid: unrecognized character after (? or (?-"],
    ["\\2(a)", "", 51091, "Regular expression is invalid: reference to non-existent subpattern"],
    ["(?<n>a)\\k<m>", "", 51091, "Regular expression is invalid: reference to non-existent subpattern"],
    ["a\0b", "", 2, "Regular expression cannot contain an embedded null byte"],
    ["a", "q", 51108, " invalid flag in regex options: q"],
  ];
  for (const [pattern, options, code, message] of cases) {
    throws(() => translatePattern(pattern, options), { code, message }, pattern);
  }
});

Deno.test("what has no counterpart says so", () => {
  for (const pattern of ["(?R)", "(?1)", "(?&name)", "(?(1)a|b)", "a\\Kb", "\\Ga"]) {
    throws(() => translatePattern(pattern, ""), { code: 51091, message: /not supported/ }, pattern);
  }
});

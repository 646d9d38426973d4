import { deepStrictEqual } from "node:assert/strict";
import { patternMatcher } from "./pattern_matcher.ts";
import { translatePattern } from "./pcre.ts";

const PATTERNS = [
  "^(a+)+$",
  "^(a|aa)+$",
  "(a*)*b",
  "^.$",
  "^..$",
  "a.c",
  "^(?<x>a).\\1?$",
  "(a)\\1",
  "a$|^b",
  "(^a|b$)",
  "\\(?<a>",
  "\\\\(a)",
  "[(?<a>]b",
  "[^a]",
  "\\d+\\D",
  "\\w+\\s\\w+",
  "(?=a)b|a(?=b)",
  "(?<!a)b",
  "a{2,3}$",
  "^\\/x",
  "x/y",
  "^$",
  "\\bcat\\b",
  "[[:digit:]]+",
  "é|a",
];
const TEXTS = [
  "",
  "a",
  "b",
  "aa",
  "aaa",
  "aa!",
  "ab",
  "abc",
  "a\nc",
  "a\n",
  "\n",
  "😀",
  "a😀c",
  "😀😀",
  "(<a>",
  "<a>",
  "\\a",
  "?b",
  "12x",
  "one two",
  "/x",
  "x/y",
  "a cat",
  "concat",
  "é",
];

Deno.test("a matcher says yes and no as the translated expression does", () => {
  for (const options of ["", "s", "m", "i", "x"]) {
    for (const pattern of PATTERNS) {
      const expression = translatePattern(pattern, options);
      const matches = patternMatcher(pattern, options);
      for (const text of TEXTS) {
        deepStrictEqual(
          matches(text),
          expression.test(text),
          `/${pattern}/${options} on ${JSON.stringify(text)}`,
        );
      }
    }
  }
});

/** The ways in which a search may run find the same: the platform's engine, our own, and our own when it remembers its visits. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { compileTree } from "./compile.ts";
import { nativeForm, NO_NATIVE } from "./native.ts";
import { OwnSearch } from "./own_search.ts";
import { parsePattern } from "./parse.ts";
import type { Modes } from "./modes.ts";

const ATOMS = [
  "a",
  "b",
  "c",
  "é",
  "😀",
  ".",
  "\\w",
  "\\d",
  "\\W",
  "[ab]",
  "[^a]",
  "[é-ü]",
  "\\n",
  "\\R",
  "k",
];
const EDGES = ["^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G", "(?<=a)", "(?<!b|cd)"];
const GROUPS = ["(", "(?:", "(?>", "(?=", "(?!", "(?i:"];
const SIGNS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}"];
const MARKS = ["", "", "", "?", "+"];
const CHARACTERS = ["a", "b", "c", "a", "b", "A", "1", " ", "\n", "é", "😀", "k", "\u212a"];

class PatternMaker {
  private groups = 0;

  constructor(private readonly random: Random) {}

  alternatives(depth: number): string {
    const branches = [this.branch(depth)];
    while (below(this.random, 4) === 0) branches.push(this.branch(depth));
    return branches.join("|");
  }

  private branch(depth: number): string {
    let text = "";
    for (let count = below(this.random, 3); count >= 0; count--) text += this.item(depth);
    return text;
  }

  private item(depth: number): string {
    const { random } = this;
    const kind = below(random, 10);
    if (kind === 0) return pick(random, EDGES);
    const sign = below(random, 5) < 3 ? "" : pick(random, SIGNS) + pick(random, MARKS);
    if (kind === 1 && this.groups > 0) return `\\${1 + below(random, this.groups)}${sign}`;
    if (depth === 0 || kind < 6) return pick(random, ATOMS) + sign;
    const opening = pick(random, GROUPS);
    if (opening === "(") this.groups++;
    return `${opening}${this.alternatives(depth - 1)})${sign}`;
  }
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}

function textOf(random: Random): string {
  return Array.from({ length: below(random, 9) }, () => pick(random, CHARACTERS)).join("");
}

function modesOf(letters: string): Modes {
  return {
    ignoreCase: letters.includes("i"),
    multiline: letters.includes("m"),
    dotAll: letters.includes("s"),
    extended: false,
    ungreedy: false,
    duplicateNames: false,
  };
}

Deno.test("all ways to search find the same", () => {
  let native = 0;
  let found = 0;
  for (let seed = 1; seed <= 1500; seed++) {
    const random = seededRandom(seed);
    const pattern = new PatternMaker(random).alternatives(3);
    const options = pick(random, ["", "", "i", "m", "s"]);
    const tree = parsePattern(pattern, modesOf(options));
    const program = compileTree(tree);
    const form = nativeForm(tree);
    const own = new OwnSearch(tree, program, NO_NATIVE);
    const others = [
      new OwnSearch(tree, program, NO_NATIVE, -1),
      new OwnSearch(tree, program, form ?? NO_NATIVE),
    ];
    for (let round = 0; round < 6; round++) {
      const text = textOf(random);
      const where = `/${pattern}/${options} on ${JSON.stringify(text)}, seed ${seed}`;
      const registers = own.find(text, 0);
      if (registers !== undefined) found++;
      for (const other of others) {
        deepStrictEqual(other.find(text, 0), registers, where);
        deepStrictEqual(other.test(text), registers !== undefined, where);
      }
      if (form === undefined) continue;
      native++;
      const match = new RegExp(form.source, "u").exec(text);
      deepStrictEqual(match?.index, registers?.[0], where);
      deepStrictEqual(match === null ? undefined : match.index + match[0].length, registers?.[1], where);
      if (!form.captures || registers === undefined) continue;
      const captures = Array.from({ length: tree.groupCount }, (_, group) => {
        const end = registers[2 * group + 3]!;
        return end < 0 ? undefined : text.slice(registers[2 * group + 2], end);
      });
      deepStrictEqual(match?.slice(1), captures, where);
    }
  }
  ok(native > 1000 && found > 1000, `${native} native, ${found} found`);
});

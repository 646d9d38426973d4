import { equal } from "node:assert/strict";
import { Collation, type CollationOrder } from "./collation.ts";
import { compareValues, equalValues } from "./compare.ts";
import { BuiltDocument } from "./document.ts";
import { keyOf, valueKeys } from "./key.ts";
import { BSONSymbol, Code, Int32, type Value } from "./value.ts";

function collation(order: Partial<CollationOrder>): Collation {
  return new Collation({
    tag: "en",
    usage: "sort",
    sensitivity: "variant",
    identical: false,
    numeric: false,
    caseFirst: undefined,
    ignorePunctuation: undefined,
    ...order,
  });
}

const TEXTS = [
  "",
  "a",
  "A",
  "á",
  "Á",
  "ab",
  "a b",
  "a-b",
  "b",
  "ß",
  "ss",
  "Z",
  "ö",
  "10",
  "9",
  "a\u0301",
  "ａ",
  "\0",
];
const VALUES: readonly Value[] = [
  ...TEXTS,
  ...TEXTS.map((text) => [text, Int32.of(1)]),
  ...TEXTS.map((text) => BuiltDocument.of({ f: text })),
  BuiltDocument.of({ F: "a" }),
  new BSONSymbol("A"),
  new Code("a"),
  new Code("A"),
  null,
  Int32.of(1),
  1,
];
const COLLATIONS: Readonly<Record<string, Collation>> = {
  base: collation({ sensitivity: "base" }),
  accent: collation({ sensitivity: "accent" }),
  case: collation({ sensitivity: "case" }),
  variant: collation({}),
  identical: collation({ identical: true }),
  numeric: collation({ numeric: true }),
  "without punctuation": collation({ sensitivity: "base", ignorePunctuation: true }),
  Swedish: collation({ tag: "sv" }),
};

for (const [name, texts] of Object.entries(COLLATIONS)) {
  Deno.test(`keys are equal where values are, ${name}`, () => {
    const keys = valueKeys(texts);
    for (const a of VALUES) {
      for (const b of VALUES) equal(keys(a) === keys(b), equalValues(a, b, texts), `${a} and ${b}`);
    }
  });

  Deno.test(`the order has two sides and no circles, ${name}`, () => {
    const sorted = [...VALUES].sort((a, b) => compareValues(a, b, texts));
    for (let i = 0; i < sorted.length; i++) {
      for (let j = i; j < sorted.length; j++) {
        const order = Math.sign(compareValues(sorted[i], sorted[j], texts));
        equal(order <= 0, true, `${sorted[i]} and ${sorted[j]}`);
        equal(Math.sign(compareValues(sorted[j], sorted[i], texts)), -order || 0);
      }
    }
  });
}

Deno.test("names of fields and code are not collated", () => {
  const texts = COLLATIONS["base"]!;
  equal(equalValues(BuiltDocument.of({ a: "x" }), BuiltDocument.of({ A: "x" }), texts), false);
  equal(equalValues(new Code("a"), new Code("A"), texts), false);
  equal(equalValues(new BSONSymbol("a"), "A", texts), true);
});

Deno.test("a class is one text, however many texts are asked about", () => {
  const texts = collation({ sensitivity: "accent" });
  for (let i = 0; i < 10_000; i++) texts.classOf(`t${i}`);
  for (let i = 0; i < 10_000; i++) equal(texts.classOf(`T${i}`), `t${i}`);
});

Deno.test("without a collation keys and order are those of bytes", () => {
  equal(valueKeys(undefined), keyOf);
  equal(compareValues("Z", "a") < 0, true);
});

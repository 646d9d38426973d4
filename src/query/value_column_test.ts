import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  compareValues,
  Decimal128,
  Document,
  encodeDocument,
  Int32,
  RawDocument,
  UtcDate,
  type Value,
  valueOrder,
} from "../bson/mod.ts";
import { HeldRows } from "./held_rows.ts";
import { approximateBytes } from "./memory.ts";
import { sortedPlaces } from "./sorted_places.ts";
import { ValueColumn } from "./value_column.ts";

const pause = () => Promise.resolve();
const random = seededRandom(7);
const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;

const NUMBERS: readonly Value[] = [0, -0, 1.5, NaN, -7, Int32.of(1), Int32.of(-3), 2n, 1n << 40n];
const TEXTS: readonly Value[] = ["", "a", "b", "host_1", "host_10", "é", "\u{1f600}", "\uffff"];
const DATES: readonly Value[] = [new UtcDate(0), new UtcDate(-5), new UtcDate(1.7e12)];
const RARE: readonly Value[] = [
  Infinity,
  -Infinity,
  Number.MAX_VALUE,
  (1n << 60n) + 1n,
  Decimal128.fromString("1.50"),
  true,
  false,
  [Int32.of(1), "x"],
  BuiltDocument.of({ x: 1, y: "z" }),
];
const MIXES: readonly (readonly Value[])[] = [
  NUMBERS,
  [...NUMBERS, null],
  [...NUMBERS, undefined],
  [...NUMBERS, null, undefined],
  DATES,
  [...DATES, null],
  [...DATES, ...NUMBERS],
  TEXTS,
  [...TEXTS, null],
  RARE,
  [...NUMBERS, ...TEXTS, ...DATES, ...RARE, null, undefined],
];

function bytesOf(value: Value): string {
  return encodeDocument(
    new BuiltDocument(value === undefined ? [] : ["v"], value === undefined ? [] : [value]),
  )
    .join();
}

Deno.test("a column gives back the values that came, type and sign included, also after it was cleared", () => {
  const column = new ValueColumn(approximateBytes);
  for (const length of [1, 15, 16, 17, 4095, 4096, 4097, 9000]) {
    const values = Array.from({ length }, () => pick(MIXES.at(-1)!));
    for (const value of values) column.push(value);
    values.forEach((value, place) => assert.equal(bytesOf(column.at(place)), bytesOf(value)));
    if (length > 1) assert.ok(Object.is(column.at(0), values[0]) || typeof values[0] !== "number");
    column.clear();
    assert.equal(column.length, 0);
  }
});

Deno.test("places sort as their values do, equal ones as they came, whatever the kinds", async () => {
  const folding = { compareText: (a: string, b: string) => compareValues(a.slice(0, 1), b.slice(0, 1)) };
  for (const values of MIXES) {
    for (const descending of [false, true]) {
      for (const collation of [undefined, folding as Collation]) {
        const keys = Array.from({ length: 3000 }, () => [pick(values), pick(TEXTS)] as const);
        const columns = [0, 1].map((part) => {
          const column = new ValueColumn(approximateBytes);
          for (const key of keys) column.push(key[part]);
          return column;
        });
        const compare = valueOrder(collation);
        const sign = descending ? -1 : 1;
        const expected = keys.map((_, place) => place).sort((a, b) =>
          sign * compare(keys[a]![0], keys[b]![0]) || compare(keys[a]![1], keys[b]![1])
        );
        const shared = collation === undefined ? {} : { collation };
        const parts = [{ descending, ...shared }, { descending: false, ...shared }];
        assert.deepEqual(await sortedPlaces(columns, parts, pause), expected);
      }
    }
  }
});

/** A row that is no bytes and not made by a stage, as a view of stored columns. */
class View extends Document {
  constructor(private readonly row: Document) {
    super();
  }

  override get(name: string): Value {
    return this.row.get(name);
  }

  override names(): readonly string[] {
    return this.row.names();
  }

  override values(): readonly Value[] {
    return this.row.values();
  }

  override writeTo(writer: Parameters<Document["writeTo"]>[0]): void {
    this.row.writeTo(writer);
  }
}

Deno.test("rows that are held are those that came, or the fields of them that are asked for", () => {
  const made = Array.from({ length: 5000 }, (_, i): Document => {
    const names = pick([["_id", "v", "m"], ["v", "m"], ["m", "x", "v"], ["long", "v"]]);
    const meta = BuiltDocument.of({ host: `h${i % 3}`, at: new UtcDate(i) });
    const values = names.map((name): Value =>
      name === "m" ? meta : name === "long" ? "x".repeat(i % 500 === 0 ? 70_000 : 100) : pick(RARE)
    );
    const document = new BuiltDocument(names, values);
    const way = Math.floor(random() * 4);
    if (way === 0) return new View(document);
    if (way === 1) return new RawDocument(encodeDocument(document).slice());
    return way === 2
      ? document
      : BuiltDocument.laidOut({ names: ["gone", ...names], values: [undefined, ...values] });
  });
  for (const fields of [undefined, new Set(["v", "m"])]) {
    const held = new HeldRows(fields);
    for (const row of made) assert.ok(held.add(row) > 0);
    assert.equal(held.length, made.length);
    made.forEach((row, place) => {
      const got = held.at(place);
      if (fields === undefined) {
        assert.equal(bytesOf(got), bytesOf(row));
        assert.deepEqual(got.layout().names, row.layout().names);
        return;
      }
      for (const name of fields) assert.equal(bytesOf(got.get(name)), bytesOf(row.get(name)));
      const kept = (document: Document) => document.names().filter((name) => fields.has(name));
      assert.deepEqual(kept(got), kept(row));
    });
  }
});

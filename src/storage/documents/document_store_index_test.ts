/** Indexes and documents agree: after every commit, rollback, crash and replay, each index holds the keys of the documents. */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { BuiltDocument, encodeDocument, Int32, RawDocument, type Value } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";
import { keysOf } from "./index_definition.ts";
import type { IndexTable } from "./index_tables.ts";

const COLLECTION = 3;

function documentOf(fields: Readonly<Record<string, Value>>): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of(fields)));
}

function specOf(
  name: string,
  key: Readonly<Record<string, number>>,
  more: Readonly<Record<string, Value>> = {},
) {
  const pattern = Object.fromEntries(Object.entries(key).map(([field, sign]) => [field, Int32.of(sign)]));
  return documentOf({ key: BuiltDocument.of(pattern), name, ...more });
}

const SPECS = [
  specOf("a", { a: 1 }),
  specOf("ab", { a: -1, b: 1 }),
  specOf("u", { u: 1 }, { unique: true, sparse: true }),
  specOf("p", { b: 1 }, { partialFilterExpression: BuiltDocument.EMPTY }),
];

function openStore(path: string): DocumentStore {
  return DocumentStore.open(path, () => (document) => document.get("a") === 1);
}

function build(store: DocumentStore, specs: readonly RawDocument[]) {
  const run = store.writer.buildIndexes(COLLECTION, specs);
  for (;;) {
    const step = run.next();
    if (step.done === true) return step.value;
  }
}

/** That each index has the keys of the documents and no others, looked at in SQLite itself. */
function checkIndexes(store: DocumentStore): void {
  const database = store["writing"];
  const rows = database.prepare(`SELECT seq, doc FROM c${COLLECTION}`).all();
  for (const { definition, number } of store.indexStates(COLLECTION) as readonly IndexTable[]) {
    const expected = rows.flatMap((row) => {
      const { keys } = keysOf(definition, new RawDocument(row["doc"] as Uint8Array));
      return keys.map(({ bytes, types }) => `${bytes.join()} ${row["seq"]} ${types?.join() ?? null}`);
    }).sort();
    const found = database.prepare(`SELECT key, seq, types FROM i${COLLECTION}_${number}`).all().map(
      (row) => {
        const types = row["types"] as Uint8Array | null;
        return `${(row["key"] as Uint8Array).join()} ${row["seq"]} ${types?.join() ?? null}`;
      },
    ).sort();
    assert.deepEqual(found, expected, `index ${definition.name}`);
  }
}

function randomDocument(random: Random): RawDocument {
  const small = () => {
    const value = Math.floor(random() * 4);
    return random() < 0.5 ? value : random() < 0.5 ? Int32.of(value) : BigInt(value);
  };
  const values: (() => Value)[] = [
    small,
    () => String(small()),
    () => null,
    () => [small(), small()],
    () => [],
  ];
  const pick = () => values[Math.floor(random() * values.length)]!();
  const b = random() < 0.5 ? small() : "text";
  const unique = random() < 0.5 ? { u: Math.floor(random() * 30) } : {};
  return documentOf({ _id: Math.floor(random() * 40), a: pick(), b, ...unique });
}

/** One transaction of some writes. @returns its payload; undefined when it was rolled back */
function work(store: DocumentStore, index: number, random: Random): Uint8Array | undefined {
  store.writer.begin();
  for (let count = 1 + Math.floor(random() * 12); count > 0; count--) {
    const document = randomDocument(random);
    const taken = store.writer.insert(COLLECTION, document);
    if (taken?.name !== "_id_") continue;
    if (random() < 0.6) store.writer.replace(COLLECTION, document);
    else store.writer.delete(COLLECTION, document);
  }
  const payload = Uint8Array.from(
    store.writer.seal().flatMap(({ effects }) => effects.flatMap((part) => [...part])),
  );
  if (payload.length === 0 || random() < 0.25) {
    store.writer.rollback();
    return undefined;
  }
  store.writer.commit(index);
  return payload;
}

for (const place of ["in memory", "in a file"]) {
  Deno.test(`${place}: indexes follow every write and rollback`, () => {
    const folder = Deno.makeTempDirSync({ prefix: "chronogo-indexes-" });
    const store = openStore(place === "in memory" ? ":memory:" : `${folder}/documents.sqlite`);
    try {
      const random = seededRandom(5);
      store.createCollection(COLLECTION);
      for (let step = 1; step <= 150; step++) {
        work(store, step, random);
        if (step === 20) assert.equal(build(store, SPECS.slice(0, 2)), undefined);
        if (step === 40) {
          const taken = build(store, [SPECS[2]!]);
          if (taken !== undefined) {
            store.writer.begin();
            for (const batch of store.writer.candidates(COLLECTION, {})) {
              batch.forEach((row) => store.writer.delete(COLLECTION, new RawDocument(row.doc), row));
            }
            store.writer.commit(1000);
            assert.equal(build(store, [SPECS[2]!]), undefined);
          }
          assert.equal(build(store, [SPECS[3]!]), undefined);
          break;
        }
        checkIndexes(store);
      }
      for (let step = 1001; step <= 1100; step++) {
        work(store, step, random);
        checkIndexes(store);
      }
      assert.deepEqual(store.indexStates(COLLECTION).map(({ definition }) => definition.name), [
        "a",
        "ab",
        "u",
        "p",
      ]);
      assert.deepEqual(store.indexStates(COLLECTION)[0]?.arrays, [["a"]]);
      store.writer.changeIndexes(COLLECTION, ["ab"], []);
      checkIndexes(store);
    } finally {
      store.close();
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("a power failure leaves no index that disagrees with the documents, before and after the log is replayed", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const folder = Deno.makeTempDirSync({ prefix: "chronogo-indexes-crash-" });
    const path = `${folder}/documents.sqlite`;
    const random = seededRandom(seed);
    const store = openStore(path);
    try {
      store.createCollection(COLLECTION);
      store.checkpoint();
      const log: [number, Uint8Array][] = [];
      for (let step = 1; step <= 40; step++) {
        if (step % 10 === 3) build(store, [SPECS[0]!, SPECS[1]!]);
        if (step % 10 === 5) build(store, [SPECS[2]!]);
        if (step % 10 === 9) store.writer.changeIndexes(COLLECTION, ["a", "ab", "u"], []);
        const payload = work(store, step, random);
        if (payload !== undefined) log.push([step, payload]);
        if (random() < 0.1) store.checkpoint();
        const image = `${folder}/image${step}.sqlite`;
        Deno.copyFileSync(path, image);
        const wal = Deno.readFileSync(`${path}-wal`);
        Deno.writeFileSync(`${image}-wal`, wal.subarray(0, Math.floor(random() * (wal.length + 1))));
        const left = openStore(image);
        checkIndexes(left);
        for (const [index, effects] of log) left.writer.replay(index, effects);
        checkIndexes(left);
        assert.deepEqual(left.stats(COLLECTION).count, store.stats(COLLECTION).count);
        left.close();
      }
    } finally {
      store.close();
      Deno.removeSync(folder, { recursive: true });
    }
  }
});

Deno.test("a build that is ended early, or meets a key twice, leaves nothing", () => {
  const store = openStore(":memory:");
  store.createCollection(COLLECTION);
  store.writer.begin();
  for (let i = 0; i < 3000; i++) {
    store.writer.insert(COLLECTION, documentOf({ _id: i, a: i, u: i === 2999 ? 0 : i }));
  }
  store.writer.commit(1);
  const run = store.writer.buildIndexes(COLLECTION, SPECS);
  assert.equal(run.next().done, false);
  run.return(undefined);
  assert.deepEqual(store.indexStates(COLLECTION), []);
  const taken = build(store, SPECS);
  assert.equal(taken?.name, "u");
  assert.equal(taken?.keyValue.get("u"), 0);
  assert.deepEqual(store.indexStates(COLLECTION), []);
  store.close();
});

Deno.test("of a store of before types the indexes go, to be made anew", () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-indexes-old-" });
  const path = `${folder}/documents.sqlite`;
  const older = openStore(path);
  older.createCollection(COLLECTION);
  assert.equal(build(older, SPECS), undefined);
  older["writing"].exec("ALTER TABLE collections DROP COLUMN plain_ids; PRAGMA user_version = 3");
  older.close();
  const store = openStore(path);
  assert.deepEqual(store.indexStates(COLLECTION), []);
  assert.equal(build(store, SPECS), undefined);
  assert.equal(store.totalsCommitted(COLLECTION).plainIds, false);
  store.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a store of before indexes is made one with indexes", () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-indexes-old-" });
  const path = `${folder}/documents.sqlite`;
  const older = openStore(path);
  older["writing"].exec(
    "DROP TABLE indexes; DROP TABLE statements; ALTER TABLE collections DROP COLUMN plain_ids; PRAGMA user_version = 1",
  );
  older.close();
  const store = openStore(path);
  store.createCollection(COLLECTION);
  assert.equal(build(store, SPECS), undefined);
  store.close();
  Deno.removeSync(folder, { recursive: true });
});

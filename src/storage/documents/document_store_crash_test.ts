/**
 * The power fails: of SQLite's files is left what the last checkpoint made durable, and any beginning of the WAL, torn
 * and with garbage behind it. With the log replayed, the store is what it was.
 */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { BuiltDocument, type Document, encodeDocument, RawDocument } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";

interface Entry {
  readonly index: number;
  readonly payload: Uint8Array;
}

/** What the store should hold: the ids of each collection in order of insertion, and the length of each one's text. */
type Model = Map<number, Map<string, number>>;

function documentOf(id: string, random: Random): RawDocument {
  const text = "x".repeat(Math.floor(random() ** 4 * 20_000));
  return new RawDocument(encodeDocument(BuiltDocument.of({ _id: id, text })));
}

function textLength(document: Document): number {
  return (document.get("text") as string).length;
}

/** One transaction of some inserts, replacements and deletes; some inserts are duplicates. Committed or rolled back. */
function work(store: DocumentStore, model: Model, log: Entry[], random: Random): void {
  const index = (log.at(-1)?.index ?? 0) + 1 + Math.floor(random() * 3);
  const changed: Model = new Map(
    [...model].map(([collection, documents]) => [collection, new Map(documents)]),
  );
  store.writer.begin();
  for (let count = 1 + Math.floor(random() * 10); count > 0; count--) {
    const collection = 1 + Math.floor(random() * 3);
    const id = `id ${Math.floor(random() * 100)}`;
    store.createCollection(collection);
    let documents = changed.get(collection);
    if (documents === undefined) changed.set(collection, documents = new Map());
    const document = documentOf(id, random);
    if (store.writer.insert(collection, document) === undefined) {
      documents.set(id, textLength(document));
    } else if (random() < 0.5) {
      store.writer.replace(collection, document);
      documents.set(id, textLength(document));
    } else {
      store.writer.delete(collection, document);
      documents.delete(id);
    }
  }
  const payload = Uint8Array.from(
    store.writer.seal().flatMap(({ effects }) => effects.flatMap((part) => [...part])),
  );
  if (payload.length === 0 || random() < 0.2) return store.writer.rollback();
  store.writer.commit(index);
  log.push({ index, payload });
  for (const [collection, documents] of changed) model.set(collection, documents);
}

/** Copies what a power failure could leave of the files. */
function crashImage(path: string, image: string, random: Random): void {
  Deno.copyFileSync(path, image);
  const wal = Deno.readFileSync(`${path}-wal`);
  const kept = Math.floor(random() * (wal.length + 1));
  if (random() < 0.5) {
    for (let i = kept; i < wal.length; i++) wal[i] = random() * 256;
    Deno.writeFileSync(`${image}-wal`, wal);
  } else {
    Deno.writeFileSync(`${image}-wal`, wal.subarray(0, kept));
  }
}

async function contents(store: DocumentStore, ids: Iterable<number>): Promise<Model> {
  const found: Model = new Map();
  for (const id of ids) {
    const documents = new Map<string, number>();
    for await (const batch of store.scan(id, { checkpoint: () => Promise.resolve() })) {
      for (const document of batch) documents.set(document.get("_id") as string, textLength(document));
    }
    assert.equal(store.stats(id).count, documents.size);
    found.set(id, documents);
  }
  return found;
}

/** With the order of the documents, which maps compare without. */
function ordered(model: Model): [number, [string, number][]][] {
  return [...model].map(([collection, documents]) => [collection, [...documents]]);
}

async function checkImage(
  image: string,
  durableIndex: number,
  log: readonly Entry[],
  model: Model,
): Promise<void> {
  const store = DocumentStore.open(image);
  try {
    assert.ok(store.appliedIndex >= durableIndex, "a checkpoint is never lost");
    for (const { index, payload } of log) store.writer.replay(index, payload);
    assert.deepEqual(ordered(await contents(store, model.keys())), ordered(model));
    assert.equal(store.appliedIndex, log.at(-1)?.index ?? 0);
  } finally {
    store.close();
  }
}

Deno.test("a power failure at any time loses nothing that the log has", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const folder = Deno.makeTempDirSync({ prefix: "chronogo-documents-crash-" });
    const random = seededRandom(seed);
    const store = DocumentStore.open(`${folder}/documents.sqlite`);
    try {
      const model: Model = new Map();
      const log: Entry[] = [];
      for (let step = 0; step < 40; step++) {
        work(store, model, log, random);
        if (random() < 0.15) store.checkpoint();
        if (random() < 0.5) continue;
        const image = `${folder}/image${step}.sqlite`;
        crashImage(`${folder}/documents.sqlite`, image, random);
        await checkImage(image, store.durableIndex, log, model);
      }
    } finally {
      store.close();
      Deno.removeSync(folder, { recursive: true });
    }
  }
});

Deno.test("a store works in a Worker that may only read and write its folder", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-documents-worker-" });
  const storage = new URL("./document_store.ts", import.meta.url).href;
  const bson = new URL("../../bson/mod.ts", import.meta.url).href;
  const program = `import { DocumentStore } from ${JSON.stringify(storage)};
    import { BuiltDocument, encodeDocument, RawDocument } from ${JSON.stringify(bson)};
    const store = DocumentStore.open(${JSON.stringify(`${folder}/documents.sqlite`)});
    store.createCollection(1);
    store.writer.begin();
    store.writer.insert(1, new RawDocument(encodeDocument(BuiltDocument.of({ _id: "x" }))));
    store.writer.commit(4);
    const answer = [store.checkpoint(), store.get(1, "x").get("_id")];
    store.close();
    postMessage(answer);`;
  const source = URL.createObjectURL(new Blob([program], { type: "application/javascript" }));
  const permissions = { read: [folder], write: [folder] };
  const worker = new Worker(source, { type: "module", deno: { permissions } });
  try {
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
    assert.deepEqual(answer, [4, "x"]);
  } finally {
    worker.terminate();
    URL.revokeObjectURL(source);
    Deno.removeSync(folder, { recursive: true });
  }
});

/** Bytes of the WAL's header, and of one frame: its own header and a page. */
const WAL_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

Deno.test("a collection is made and dropped whole, wherever the WAL ends", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/documents.sqlite`;
    const store = DocumentStore.open(path);
    store.createCollection(1);
    store.dropCollection(1);
    store.createCollection(2);
    Deno.copyFileSync(path, `${folder}/image`);
    const wal = Deno.readFileSync(`${path}-wal`);
    store.close();
    const seen = new Set<string>();
    for (let end = WAL_HEADER_BYTES; end <= wal.length; end += FRAME_BYTES) {
      const image = `${folder}/${end}`;
      Deno.copyFileSync(`${folder}/image`, image);
      Deno.writeFileSync(`${image}-wal`, wal.subarray(0, end));
      const left = DocumentStore.open(image);
      for (const id of left.collectionIds()) assert.equal(left.stats(id).count, 0);
      seen.add(left.collectionIds().join());
      left.close();
    }
    assert.deepEqual([...seen].sort(), ["", "1", "2"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("after SQLite has rolled back by itself, nothing of the transaction counts", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-documents-full-" });
  const store = DocumentStore.open(`${folder}/documents.sqlite`);
  store.createCollection(1);
  const document = documentOf("one", seededRandom(1));
  let payload = new Uint8Array();
  for (const step of ["commit", "insert"] as const) {
    store.writer.begin();
    store.writer.insert(1, document);
    if (step === "commit") {
      payload = Uint8Array.from(
        store.writer.seal().flatMap(({ effects }) => effects.flatMap((part) => [...part])),
      );
    }
    // What a full device makes it do.
    store["writing"].prepare("ROLLBACK").run();
    const next = () =>
      step === "commit" ? store.writer.commit(1) : store.writer.insert(1, documentOf("two", seededRandom(2)));
    assert.throws(next, { codeName: "OutOfDiskSpace" });
    if (step === "insert") store.writer.rollback();
    assert.deepEqual(await contents(store, [1]), new Map([[1, new Map()]]));
    assert.equal(store["writing"].prepare("SELECT log_index FROM applied").get()?.["log_index"], 0);
    if (step === "insert") store.writer.replay(1, payload);
  }
  assert.deepEqual(await contents(store, [1]), new Map([[1, new Map([["one", textLength(document)]])]]));
  store.close();
  Deno.removeSync(folder, { recursive: true });
});

/** Whoever applies the events of a stream, begun anew from its token again and again, holds what the collections hold. */
import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { compareValues, Document, Int32, type Value } from "../../bson/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import type { Node } from "../node.ts";
import { deleteNumbers, insertNumbers, openNode as openAny, renumber } from "../node_fixture.ts";
import type { ChangeEvent } from "./change_event.ts";
import type { Position } from "./position.ts";

/** By `db.collection`, then by _id: the number that a document carries. */
type State = Map<string, Map<number, number>>;

const NAMES = ["a.x", "a.y", "b.x"] as const;

function openNode(disk: MemoryDisk, documentsPath: string): Promise<Node> {
  return openAny(disk, { documentsPath, logRetention: { bytes: 1 << 22, ms: 3_600_000 } });
}

function namespaceOf(name: string) {
  const [db = "", collection = ""] = name.split(".");
  return { db, collection };
}

function collectionIn(state: State, name: string): Map<number, number> {
  const collection = state.get(name) ?? new Map<number, number>();
  state.set(name, collection);
  return collection;
}

/** One random operation on a node, and on what it should hold. */
async function step(node: Node, state: State, random: () => number, next: () => number): Promise<void> {
  const name = NAMES[Math.floor(random() * NAMES.length)]!;
  const namespace = namespaceOf(name);
  const documents = collectionIn(state, name);
  const some = [...documents.values()].filter(() => random() < 0.3);
  const dice = random();
  if (dice < 0.5) {
    const numbers = Array.from({ length: 1 + Math.floor(random() * 4) }, next);
    await insertNumbers(node, namespace, numbers);
    for (const n of numbers) documents.set(n, n);
  } else if (dice < 0.75) {
    await renumber(node, namespace, some, 100_000);
    for (const [id, n] of documents) if (some.includes(n)) documents.set(id, n + 100_000);
  } else if (dice < 0.92) {
    await deleteNumbers(node, namespace, some);
    for (const [id, n] of documents) if (some.includes(n)) documents.delete(id);
  } else if (dice < 0.97) {
    await node.router.dropCollection(namespace);
    state.delete(name);
  } else {
    await node.router.dropDatabase(namespace.db);
    for (const other of NAMES) if (other.startsWith(`${namespace.db}.`)) state.delete(other);
  }
}

/** Each event once: one that was told before does not fit any more. */
function apply(state: State, { document }: ChangeEvent): void {
  const ns = document.get("ns");
  assert.ok(ns instanceof Document);
  const name = `${ns.get("db")}.${ns.get("coll")}`;
  const operation = document.get("operationType");
  if (operation === "drop") {
    assert.ok(state.delete(name), `${name} is dropped once`);
    return;
  }
  if (operation === "dropDatabase") {
    const left = [...state.keys()].filter((other) => other.startsWith(`${ns.get("db")}.`));
    assert.deepEqual(left, [], "its collections were dropped before");
    return;
  }
  const documents = collectionIn(state, name);
  const id = numberIn(document, "documentKey", "_id");
  assert.equal(documents.has(id), operation !== "insert", `${operation} ${id} fits`);
  if (operation === "insert") documents.set(id, numberIn(document, "fullDocument", "n"));
  else if (operation === "update") {
    const n = numberIn(document, "updateDescription", "updatedFields", "n");
    assert.ok(n > documents.get(id)!, "each update adds to the number");
    documents.set(id, n);
  } else {
    assert.equal(operation, "delete");
    documents.delete(id);
  }
}

function numberIn(document: Document, ...path: string[]): number {
  const value = path.reduce<Value>((at, name) => at instanceof Document ? at.get(name) : undefined, document);
  assert.ok(value instanceof Int32, path.join("."));
  return value.value;
}

function plain(state: State): unknown {
  return [...state].filter(([, documents]) => documents.size > 0)
    .map(([name, documents]) => [name, [...documents].sort(([a], [b]) => a - b)])
    .sort(([a], [b]) => compareValues(a as string, b as string));
}

for (const seed of [1, 2, 3]) {
  Deno.test(`events give what the collections hold, over restarts and from any token (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const disk = new MemoryDisk();
    const folder = Deno.makeTempDirSync({ prefix: "chronogo-followed-" });
    const documentsPath = `${folder}/documents.sqlite`;
    const [held, followed]: [State, State] = [new Map(), new Map()];
    let last = 0;
    let node = await openNode(disk, documentsPath);
    let place: Position | undefined = { kind: "before", time: 0n };
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 8; i++) await step(node, held, random, () => ++last);
      const feed = node.changeFeed({
        scope: { kind: "deployment" },
        showExpandedEvents: false,
        showRawUpdateDescription: false,
        fullDocument: "default",
        fullDocumentBeforeChange: "off",
        from: place,
      });
      for (let isAtEnd = false; !isAtEnd;) {
        const piece = feed.next();
        // Now and then the follower goes away in the middle of what it was given.
        const kept = random() < 0.2 ? Math.floor(random() * piece.events.length) : piece.events.length;
        const taken = piece.events.slice(0, kept);
        for (const event of taken) apply(followed, event);
        place = kept < piece.events.length ? taken.at(-1)?.position ?? place : piece.position;
        if (kept < piece.events.length) break;
        isAtEnd = piece.isAtEnd;
        if (isAtEnd) assert.deepEqual(plain(followed), plain(held), `round ${round}`);
      }
      if (random() < 0.2) {
        await node.close();
        node = await openNode(disk, documentsPath);
      }
    }
    await node.close();
    Deno.removeSync(folder, { recursive: true });
  });
}

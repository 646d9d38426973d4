import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BuiltDocument, encodeDocument, Int32, RawDocument } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";

const COLLECTION = 3;
const DOCUMENTS = 600;
const NUMBER_INDEX = new RawDocument(
  encodeDocument(BuiltDocument.of({ key: BuiltDocument.of({ n: Int32.of(1) }), name: "n_1" })),
);
const WHOLE_INDEX = {
  name: "n_1",
  keys: DOCUMENTS,
  missing: 0,
  extra: 0,
  missingEntries: [],
  extraEntries: [],
};
const noPause = () => Promise.resolve();

/** Runs a statement below a closed store, opens it again and verifies the collection. */
async function verifyAfter(statement: string | undefined, isFull = false) {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-documents-" });
  const path = `${folder}/documents.sqlite`;
  try {
    const made = DocumentStore.open(path);
    made.createCollection(COLLECTION);
    made.writer.begin();
    for (let id = 0; id < DOCUMENTS; id++) {
      made.writer.insert(
        COLLECTION,
        new RawDocument(encodeDocument(BuiltDocument.of({ _id: id, n: id, text: "abc" }))),
      );
    }
    made.writer.commit(1);
    made.writer.buildIndexes(COLLECTION, [NUMBER_INDEX]).toArray();
    made.checkpoint();
    made.close();
    if (statement !== undefined) {
      using database = new DatabaseSync(path);
      database.exec(statement);
    }
    const store = DocumentStore.open(path);
    try {
      return await store.inspector.verify(COLLECTION, { indexes: ["n_1"], isFull, pause: noPause });
    } finally {
      store.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a whole collection has no problems", async () => {
  const whole = { documents: DOCUMENTS, invalidDocuments: 0, problems: [], indexes: [WHOLE_INDEX] };
  assert.deepEqual(await verifyAfter(undefined), whole);
  assert.deepEqual(await verifyAfter(undefined, true), whole);
});

Deno.test("a document that is no BSON, or not the one of its key, is found", async () => {
  const broken = await verifyAfter(`UPDATE c${COLLECTION} SET doc = x'0500000001' WHERE seq = 300`);
  assert.equal(broken.invalidDocuments, 1);
  assert.match(broken.problems[0] ?? "", /^document 300: /);
  const swapped = await verifyAfter(
    `UPDATE c${COLLECTION} SET doc = (SELECT doc FROM c${COLLECTION} WHERE seq = 1) WHERE seq = 599`,
  );
  assert.equal(swapped.invalidDocuments, 1);
  assert.deepEqual(swapped.problems, ["document 599: it does not lie under the key of its _id"]);
});

Deno.test("keys that an index lacks, and those that it should not have, are found", async () => {
  const index = `i${COLLECTION}_1`;
  const [lacking] = (await verifyAfter(`DELETE FROM ${index} WHERE seq = 300`)).indexes;
  assert.deepEqual([lacking?.keys, lacking?.missing, lacking?.extra], [DOCUMENTS - 1, 1, 0]);
  assert.deepEqual(
    lacking?.missingEntries.map(({ seq, id, key }) => [seq, id?.get("_id"), key?.get("n")]),
    [[300, 299, 299]],
  );
  const [otherTypes] = (await verifyAfter(`UPDATE ${index} SET types = x'02' WHERE seq = 300`)).indexes;
  assert.equal(otherTypes?.missing, 1);
  // Of a document that is not there, and another one's key.
  for (const seq of [9999, 5]) {
    const [excessive] =
      (await verifyAfter(`INSERT INTO ${index} SELECT key, ${seq}, types FROM ${index} WHERE seq = 7`))
        .indexes;
    assert.deepEqual([excessive?.keys, excessive?.missing, excessive?.extra], [DOCUMENTS + 1, 0, 1]);
    assert.equal(excessive?.extraEntries[0]?.seq, seq);
  }
});

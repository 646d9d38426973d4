import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BuiltDocument, encodeDocument, RawDocument } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";

const COLLECTION = 3;
const DOCUMENTS = 600;
const noPause = () => Promise.resolve();

/** Runs a statement below a closed store, opens it again and verifies the collection. */
async function verifyAfter(statement: string | undefined, isFull = false) {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-documents-" });
  const path = `${folder}/documents.sqlite`;
  try {
    const made = DocumentStore.open(path);
    made.createCollection(COLLECTION);
    made.begin();
    for (let id = 0; id < DOCUMENTS; id++) {
      made.insert(COLLECTION, new RawDocument(encodeDocument(BuiltDocument.of({ _id: id, text: "abc" }))));
    }
    made.commit(1);
    made.checkpoint();
    made.close();
    if (statement !== undefined) {
      using database = new DatabaseSync(path);
      database.exec(statement);
    }
    const store = DocumentStore.open(path);
    try {
      return await store.verify(COLLECTION, isFull, noPause);
    } finally {
      store.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a whole collection has no problems", async () => {
  const whole = { documents: DOCUMENTS, invalidDocuments: 0, problems: [] };
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
  assert.deepEqual(swapped, {
    documents: DOCUMENTS,
    invalidDocuments: 1,
    problems: ["document 599: it does not lie under the key of its _id"],
  });
});

/** `bulkWrite`, which MongoDB has from 8.0 on: replies in the form of its documentation (reference/command/bulkWrite). */
import assert from "node:assert/strict";
import { type Document, EJSON } from "bson";
import type { WireClient } from "../support/wire_client.ts";
import { withServer } from "./harness.ts";

const NAMESPACES = [{ ns: "one.a" }, { ns: "two.b" }];

function plain(value: unknown): Document {
  return JSON.parse(EJSON.stringify(value, { relaxed: true }));
}

async function bulkWrite(
  client: WireClient,
  ops: readonly Document[],
  more: Document = {},
): Promise<Document> {
  return plain(await client.command({ bulkWrite: 1, ops, nsInfo: NAMESPACES, ...more, $db: "admin" }));
}

Deno.test("operations on many collections are answered one by one, and by totals", async () => {
  await withServer(async ({ client }) => {
    const reply = await bulkWrite(client, [
      { insert: 0, document: { _id: 1, n: 1 } },
      { insert: 1, document: { _id: 1, n: 1 } },
      { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 1 } } },
      { update: 0, filter: { _id: 9 }, updateMods: { $inc: { n: 1 } }, multi: true },
      { delete: 1, filter: {}, multi: true },
    ]);
    assert.deepEqual(reply, {
      cursor: {
        firstBatch: [
          { ok: 1, idx: 0, n: 1 },
          { ok: 1, idx: 1, n: 1 },
          { ok: 1, idx: 2, n: 1, nModified: 1 },
          { ok: 1, idx: 3, n: 0, nModified: 0 },
          { ok: 1, idx: 4, n: 1 },
        ],
        id: 0,
        ns: "admin.$cmd.bulkWrite",
      },
      nErrors: 0,
      nInserted: 2,
      nMatched: 1,
      nModified: 1,
      nUpserted: 0,
      nDeleted: 1,
      ok: 1,
    });
    assert.deepEqual(plain(await client.documents({ find: "a", $db: "one" })), [{ _id: 1, n: 2 }]);
  });
});

Deno.test("an error ends what is ordered, and stands in its place in what is not", async () => {
  await withServer(async ({ client }) => {
    const ops = [
      { insert: 0, document: { _id: 1 } },
      { insert: 0, document: { _id: 1 } },
      { insert: 0, document: { _id: 2 } },
      { update: 0, filter: {}, updateMods: { $foo: { a: 1 } } },
    ];
    const ordered = await bulkWrite(client, ops);
    const { firstBatch } = ordered["cursor"];
    assert.deepEqual(firstBatch.map((each: Document) => [each["idx"], each["ok"], each["code"]]), [
      [0, 1, undefined],
      [1, 0, 11000],
    ]);
    const rest = await bulkWrite(client, ops.slice(1), { ordered: false, errorsOnly: true });
    assert.deepEqual(rest["cursor"].firstBatch.map((each: Document) => [each["idx"], each["code"]]), [
      [0, 11000],
      [2, 9],
    ]);
    assert.deepEqual([rest["nErrors"], rest["nInserted"]], [2, 1]);
  });
});

Deno.test("a batch size leaves results for getMore", async () => {
  await withServer(async ({ client }) => {
    const ops = [1, 2, 3].map((_id) => ({ insert: 0, document: { _id } }));
    const reply = await client.must({
      bulkWrite: 1,
      ops,
      nsInfo: NAMESPACES,
      cursor: { batchSize: 2 },
      $db: "admin",
    });
    assert.equal(reply["cursor"].firstBatch.length, 2);
    const more = await client.must({
      getMore: reply["cursor"].id,
      collection: "$cmd.bulkWrite",
      $db: "admin",
    });
    assert.deepEqual(plain(more["cursor"].nextBatch), [{ ok: 1, idx: 2, n: 1 }]);
  });
});

Deno.test("operations of a wrong form fail the whole command", async () => {
  await withServer(async ({ client }) => {
    const insert = { insert: 0, document: { _id: 1 } };
    const cases: [readonly Document[], Document, string, RegExp][] = [
      [[], {}, "InvalidLength", /between 1 and 100000. Got 0 operations/],
      [[insert, { insert: 5, document: {} }], {}, "BadValue", /invalid nsInfo index/],
      [[insert], { nsInfo: [{ ns: "nodot" }] }, "InvalidNamespace", /nodot/],
      [[insert], { foo: 1 }, "Location40415", /bulkWrite.foo/],
      [[{ replace: 0 }], {}, "Location40415", /bulkWrite.ops.replace/],
      [[{ update: 0, filter: {} }], {}, "Location40414", /updateMods/],
      [[{ update: 0, filter: {}, updateMods: 5 }], {}, "FailedToParse", /either an object or an array/],
      [[insert], { $db: "one" }, "Unauthorized", /admin database/],
    ];
    for (const [ops, more, codeName, message] of cases) {
      const command = { bulkWrite: 1, ops, nsInfo: NAMESPACES, $db: "admin", ...more };
      const reply = await client.command(command);
      assert.equal(reply["codeName"], codeName, JSON.stringify(command));
      assert.match(reply["errmsg"], message);
    }
    assert.deepEqual(await client.documents({ find: "a", $db: "one" }), []);
  });
});

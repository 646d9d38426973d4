/**
 * Patterns that backtrack without end elsewhere: a real server answers them, and others between one row and the next. What our engine
 * can tell in time it tells; where it gives up, the answer is MongoDB's: a filter does not match, an expression is an error.
 */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const LONG = "a".repeat(5000);
const ROWS = [
  { _id: 1, s: `${LONG}!` },
  { _id: 2, s: LONG },
  { _id: 3, s: "aa" },
  { _id: 4, s: "é".repeat(3000) + "!" },
  { _id: 5, s: "x" },
];

/** What is asked, and the ids that are found. */
const FILTERS: readonly (readonly [string, Document, readonly number[]])[] = [
  ["nested", { s: { $regex: "^(a+)+$" } }, [2, 3]],
  ["alternatives that overlap", { s: { $regex: "^(a|aa)+$" } }, [2, 3]],
  ["a loop over what may be empty", { s: { $regex: "^(a*)*$" } }, [2, 3]],
  ["with option i", { s: { $regex: "^(A+)+$", $options: "i" } }, [2, 3]],
  ["a negated class", { s: { $regex: "^([^!]+)+$" } }, [2, 3, 5]],
  ["beyond ASCII", { s: { $regex: "^([aé]+)+$" } }, [2, 3]],
  ["beyond ASCII with option i", { s: { $regex: "^(É+)+$", $options: "i" } }, []],
  ["many optional", { s: { $regex: "^(a?){200}a{200}b" } }, []],
  ["any characters, again and again", { s: { $regex: "(.*)(.*)(.*)(.*)(.*)(.*)y" } }, []],
  ["behind a look-behind", { s: { $regex: "(?<!b)(a+)+$" } }, [2, 3]],
  ["in a look-ahead", { s: { $regex: "^(?=(a+)+$)" } }, [2, 3]],
  ["a back reference", { s: { $regex: "^(a+)+\\1$" } }, [2, 3]],
  ["a back reference with option i", { s: { $regex: "^(A+)+\\1$", $options: "i" } }, [2, 3]],
  ["not", { s: { $not: { $regex: "^(a+)+\\1$" } } }, [1, 4, 5]],
  ["$jsonSchema", { $jsonSchema: { properties: { s: { pattern: "^(?=(a+)+$)" } } } }, [2, 3]],
  ["$regexMatch in $expr", { $expr: { $regexMatch: { input: "$s", regex: "^(a+)+$" } } }, [2, 3]],
];

/** Does the work while another connection pings; how many pings were answered meanwhile. */
async function pingsDuring(other: WireClient, work: () => Promise<void>): Promise<number> {
  let done = false;
  let count = 0;
  const pinging = (async () => {
    for (; !done; count++) await other.must({ ping: 1, $db: "admin" });
  })();
  try {
    await work();
  } finally {
    done = true;
    await pinging;
  }
  return count;
}

Deno.test("a pattern that backtracks without end does not stop the server", async () => {
  await using server = await startServerProcess({ args: [] });
  const client = await WireClient.connect(server.port);
  const other = await WireClient.connect(server.port);
  await client.must({ insert: "c", documents: ROWS, $db: "t" });
  const pings = await pingsDuring(other, async () => {
    for (const [name, filter, ids] of FILTERS) {
      const { cursor } = await client.must({ find: "c", filter, sort: { _id: 1 }, $db: "t" });
      assert.deepEqual(cursor["firstBatch"].map((row: Document) => Number(row["_id"])), ids, name);
    }
    for (const operator of ["$regexMatch", "$regexFind", "$regexFindAll"]) {
      for (const regex of ["^(?=(a+)+$)", "^(a+)+\\1$"]) {
        const pipeline = [{ $project: { found: { [operator]: { input: "$s", regex } } } }];
        const reply = await client.command({ aggregate: "c", pipeline, cursor: {}, $db: "t" });
        assert.equal(Number(reply["code"]), 51156, `${operator} ${regex}`);
        assert.match(reply["errmsg"], /while executing the regular expression in .*Result code: -8/);
      }
    }
  });
  assert.ok(pings > FILTERS.length);
  client.close();
  other.close();
});

Deno.test("updates and deletes with such patterns do not stop the server either", async () => {
  await using server = await startServerProcess({ args: [] });
  const client = await WireClient.connect(server.port);
  await client.must({
    insert: "c",
    documents: [{ _id: 1, a: [`${LONG}!`, "aa", "b"] }, { _id: 2, a: ["b"] }],
    $db: "t",
  });
  const regex = { $regex: "^(a+)+\\1$" };
  const updated = await client.must({
    update: "c",
    updates: [{ q: {}, u: { $set: { "a.$[x]": 1 } }, arrayFilters: [{ x: regex }], multi: true }],
    $db: "t",
  });
  assert.deepEqual([Number(updated["n"]), Number(updated["nModified"])], [2, 1]);
  const { cursor } = await client.must({ find: "c", filter: { _id: 1 }, $db: "t" });
  const [first, second, third] = cursor["firstBatch"][0]["a"];
  assert.deepEqual([first, Number(second), third], [`${LONG}!`, 1, "b"]);
  const pulled = await client.must({
    update: "c",
    updates: [{ q: { _id: 1 }, u: { $pull: { a: { $regex: "^(?=(a+)+!$)" } } } }],
    $db: "t",
  });
  assert.equal(Number(pulled["n"]), 1);
  const deleted = await client.must({ delete: "c", deletes: [{ q: { a: regex }, limit: 0 }], $db: "t" });
  assert.equal(Number(deleted["n"]), 0);
  client.close();
});

/** Each row takes the whole of what a search may take (no two have the same text, which would be searched once); a ping has its turn behind each, whoever goes through the rows. */
Deno.test("others have their turn between the rows of one batch", async () => {
  await using server = await startServerProcess({ args: [] });
  const client = await WireClient.connect(server.port);
  const other = await WireClient.connect(server.port);
  const rows = Array.from(
    { length: 12 },
    (_, _id) => ({ _id, s: `${_id}${"a".repeat(100)}!`, m: `${_id}${"a".repeat(99)}!` }),
  );
  await client.must({ insert: "c", documents: rows, $db: "t" });
  await client.must({ create: "ts", timeseries: { timeField: "t", metaField: "m" }, $db: "t" });
  const measurements = rows.map(({ _id, ...row }) => ({ ...row, t: new Date(_id * 1000) }));
  await client.must({ insert: "ts", documents: measurements, $db: "t" });
  const regex = "(a+)+\\1[!?]{2}";
  const commands: readonly Document[] = [
    { find: "c", filter: { s: { $regex: regex } } },
    { find: "ts", filter: { s: { $regex: regex } } },
    { find: "ts", filter: { m: { $regex: regex } } },
    { update: "c", updates: [{ q: { s: { $regex: regex } }, u: { $set: { a: 1 } }, multi: true }] },
    { delete: "ts", deletes: [{ q: { s: { $regex: regex } }, limit: 0 }] },
  ];
  for (const command of commands) {
    const pings = await pingsDuring(other, async () => void await client.must({ ...command, $db: "t" }));
    assert.ok(pings >= 4, JSON.stringify(command));
  }
  client.close();
  other.close();
});

/** Fail points, beside what MongoDB 6.0.5 (a replica set of one, with enableTestCommands=1) answered to the same. */
import assert from "node:assert/strict";
import { type Document, Long, UUID } from "bson";
import { WireClient } from "../support/wire_client.ts";
import { type TestServer, withServer } from "./harness.ts";

const MESSAGE = "Failing command via 'failCommand' failpoint";
const SESSION = { id: new UUID("00000000-0000-4000-8000-000000000001") };

function failPointTest(
  name: string,
  test: (context: TestServer & { readonly client: WireClient }) => Promise<void>,
): void {
  Deno.test(name, () => withServer(test, { testCommands: true }));
}

function arm(client: WireClient, mode: unknown, data?: Document): Promise<Document> {
  return client.must({
    configureFailPoint: "failCommand",
    mode,
    ...(data === undefined ? {} : { data }),
    $db: "admin",
  });
}

/** Codes of the answers to so many pings; 0 where one went well. */
async function pings(client: WireClient, times: number): Promise<number[]> {
  const codes: number[] = [];
  for (let i = 0; i < times; i++) codes.push(Number((await client.command({ ping: 1 }))["code"] ?? 0));
  return codes;
}

function insert(document: Document = { a: 1 }, more: Document = {}): Document {
  return { insert: "c", documents: [document], ...more, $db: "t" };
}

/** The answer in plain values, without what differs from run to run. */
function plain(reply: Document): unknown {
  const { ok, errmsg, code, codeName, errorLabels, n, writeConcernError, topologyVersion } = reply;
  const tellsTopology = topologyVersion === undefined ? {} : { tellsTopology: true };
  const fields = { ok, errmsg, code, codeName, errorLabels, n, writeConcernError };
  return { ...JSON.parse(JSON.stringify(fields)), ...tellsTopology };
}

Deno.test("without enableTestCommands there are no fail points", async () => {
  await withServer(async ({ client }) => {
    const reply = await client.command({ configureFailPoint: "failCommand", mode: "off" });
    assert.equal(reply["errmsg"], "no such command: 'configureFailPoint'");
    assert.equal(Number(reply["code"]), 59);
    const { commands } = await client.must({ listCommands: 1 });
    assert.ok(!("configureFailPoint" in commands));
    const { enableTestCommands } = await client.must({ getParameter: 1, enableTestCommands: 1 });
    assert.equal(enableTestCommands, false);
  });
});

failPointTest(
  "a mode says how often a command fails, and the count of failures is answered",
  async ({ client }) => {
    const data = { failCommands: ["ping"], errorCode: 5 };
    const cases: [mode: unknown, codes: number[]][] = [
      ["alwaysOn", [5, 5, 5]],
      [{ times: 2 }, [5, 5, 0]],
      [{ times: 0 }, [5, 0, 0]],
      [{ skip: 1 }, [0, 5, 5]],
      [{ skip: 0 }, [5, 5, 5]],
      [{ activationProbability: 1 }, [5, 5, 5]],
      [{ activationProbability: 0 }, [0, 0, 0]],
      ["off", [0, 0, 0]],
    ];
    let failed = 0;
    for (const [mode, codes] of cases) {
      assert.equal(Number((await arm(client, mode, data))["count"]), failed, JSON.stringify(mode));
      assert.deepEqual(await pings(client, 3), codes, JSON.stringify(mode));
      failed += codes.filter((code) => code !== 0).length;
    }
  },
);

failPointTest("what configures no fail point is refused, and changes nothing", async ({ client }) => {
  const modes =
    "'mode' must be one of 'off', 'alwaysOn', '{times:n}', '{skip:n}' or '{activationProbability:p}'";
  const exact =
    'Expected field "times" to have a value exactly representable as a 64-bit integer, but found times: 1.5';
  const cases: [fields: Document, code: number, message: string][] = [
    [{ configureFailPoint: "nope", mode: "off" }, 266, "nope not found"],
    [{ configureFailPoint: 5, mode: "off" }, 266, " not found"],
    [{}, 20, "When setting a failpoint, you must supply a 'mode'"],
    [{ mode: "sometimes" }, 2, "unknown mode: sometimes"],
    [{ mode: 5 }, 14, "'mode' must be a string or JSON object"],
    [{ mode: { foo: 1 } }, 2, modes],
    [{ mode: {} }, 2, modes],
    [{ mode: { times: "x" } }, 14, 'Expected field "times" to have numeric type, but found string'],
    [{ mode: { times: -1 } }, 2, "'times' option to 'mode' must be positive"],
    [{ mode: { times: 1.5 } }, 2, exact],
    [{ mode: { times: 3000000000 } }, 2, "'times' option to 'mode' is too large"],
    [
      { mode: { activationProbability: 1.5 } },
      2,
      "activationProbability must be between 0.0 and 1.0; found 1.5",
    ],
    [{ mode: "alwaysOn", data: 1 }, 14, "the 'data' option must be a JSON object"],
    [{ mode: "off", $db: "t" }, 13, "configureFailPoint may only be run against the admin database."],
  ];
  await arm(client, "alwaysOn", { failCommands: ["ping"], errorCode: 5 });
  for (const [fields, code, message] of cases) {
    const reply = await client.command({ configureFailPoint: "failCommand", $db: "admin", ...fields });
    assert.equal(reply["errmsg"], message);
    assert.equal(Number(reply["code"]), code, message);
  }
  assert.deepEqual(await pings(client, 1), [5]);
});

failPointTest(
  "the labels are those of the code and the command, or those that are given",
  async ({ client }) => {
    let txnNumber = 1;
    const retryable = () => insert({}, { lsid: SESSION, txnNumber: Long.fromNumber(txnNumber++) });
    const changeStream = { aggregate: "c", pipeline: [{ $changeStream: {} }], cursor: {}, $db: "t" };
    const cases: [data: Document, command: Document, labels: string[] | undefined, tellsTopology: boolean][] =
      [
        [{ errorCode: 91 }, insert(), undefined, false],
        [{ errorCode: 91 }, retryable(), ["RetryableWriteError"], false],
        [{ errorCode: 10107 }, retryable(), ["RetryableWriteError"], true],
        [{ errorCode: 10107, errorLabels: [] }, retryable(), undefined, true],
        [{ errorCode: 91, errorLabels: ["X", "Y"] }, retryable(), ["X", "Y"], false],
        [{ errorCode: 43 }, retryable(), undefined, false],
        [{ errorCode: 10107 }, changeStream, ["ResumableChangeStreamError"], true],
        [{ errorCode: 112 }, changeStream, undefined, false],
        [{ errorCode: 123456 }, insert(), undefined, false],
      ];
    for (const [data, command, errorLabels, tellsTopology] of cases) {
      await arm(client, { times: 1 }, { failCommands: ["insert", "aggregate"], ...data });
      const reply = await client.command(command);
      assert.equal(reply["errmsg"], MESSAGE);
      assert.equal(Number(reply["code"]), data["errorCode"]);
      assert.deepEqual(reply["errorLabels"], errorLabels, JSON.stringify(data));
      assert.equal("topologyVersion" in reply, tellsTopology, JSON.stringify(data));
    }
    assert.equal(Number((await client.must(insert()))["n"]), 1);
  },
);

failPointTest("a write concern's error stands beside what the command did", async ({ client }) => {
  const writeConcernError = { code: 91, errmsg: "foo", errInfo: { a: 1 } };
  const failCommands = ["insert", "ping"];
  const retryable = insert({}, { lsid: SESSION, txnNumber: Long.fromNumber(1) });
  await arm(client, "alwaysOn", { failCommands, writeConcernError });
  assert.deepEqual(plain(await client.command({ ping: 1 })), { ok: 1 });
  assert.deepEqual(plain(await client.command(insert())), { ok: 1, n: 1, writeConcernError });
  assert.deepEqual(plain(await client.command(retryable)), {
    ok: 1,
    n: 1,
    writeConcernError,
    errorLabels: ["RetryableWriteError"],
  });
  const refused = await client.command({ ...insert(), insert: "$$$" });
  assert.deepEqual([Number(refused["code"]), Number(refused["writeConcernError"].code)], [73, 91]);
  await arm(client, "alwaysOn", { failCommands, writeConcernError, errorLabels: ["L"] });
  assert.deepEqual((await client.command(insert()))["errorLabels"], ["L"]);
  await arm(client, "alwaysOn", { failCommands, writeConcernError, errorCode: 11600 });
  assert.deepEqual(plain(await client.command(insert())), {
    ok: 0,
    errmsg: MESSAGE,
    code: 11600,
    codeName: "InterruptedAtShutdown",
  });
});

failPointTest("only the named clients, collections and commands fail", async ({ client, port }) => {
  const named = await WireClient.connect(port);
  await named.must({ hello: 1, client: { application: { name: "app" }, driver: {}, os: {} } });
  await arm(client, "alwaysOn", { failCommands: ["ping"], errorCode: 5, appName: "app" });
  assert.deepEqual([await pings(client, 1), await pings(named, 1)], [[0], [5]]);
  named.close();

  await arm(client, "alwaysOn", { failCommands: ["hello"], errorCode: 5, appName: "app" });
  const greeting = await WireClient.connect(port);
  const hello = { hello: 1, client: { application: { name: "app" }, driver: {}, os: {} } };
  assert.equal(Number((await greeting.command(hello))["code"]), 5, "with the hello that names the client");
  greeting.close();

  await arm(client, "alwaysOn", { failCommands: ["insert"], errorCode: 5, namespace: "t.other" });
  await client.must(insert());
  assert.equal(Number((await client.command({ ...insert(), insert: "other" }))["code"]), 5);

  await arm(client, "alwaysOn", { failAllCommands: true, errorCode: 5 });
  assert.deepEqual(await pings(client, 1), [5]);
  await arm(client, "alwaysOn", { failCommands: ["configureFailPoint", "isMaster"], errorCode: 5 });
  assert.equal(Number((await client.command({ ismaster: 1 }))["code"]), 5, "by any spelling");
  await arm(client, "off");
});

failPointTest("a connection closes without an answer, or waits", async ({ client, port }) => {
  const other = await WireClient.connect(port);
  await arm(client, { times: 1 }, { failCommands: ["ping"], closeConnection: true });
  await assert.rejects(other.command({ ping: 1 }), /closed the connection/);
  other.close();
  assert.deepEqual(await pings(client, 1), [0]);

  const blocks = { failCommands: ["ping"], blockConnection: true };
  await arm(client, { times: 1 }, blocks);
  assert.deepEqual(plain(await client.command({ ping: 1 })), {
    ok: 0,
    errmsg: "must specify 'blockTimeMS' when 'blockConnection' is true",
    code: 72,
    codeName: "InvalidOptions",
  });
  await arm(client, { times: 1 }, { ...blocks, blockTimeMS: 60_000 });
  assert.equal(Number((await client.command({ ping: 1, maxTimeMS: 20 }))["code"]), 50);
  await arm(client, { times: 1 }, { ...blocks, blockTimeMS: 30, errorCode: 5 });
  const startedMs = performance.now();
  assert.deepEqual(await pings(client, 1), [5]);
  assert.ok(performance.now() - startedMs >= 29);
});

failPointTest("a getMore fails that has its cursor, which is then gone", async ({ client }) => {
  for (let i = 0; i < 3; i++) await client.must(insert({ i }));
  const { cursor } = await client.must({ find: "c", batchSize: 1, $db: "t" });
  const getMore = { getMore: cursor.id, collection: "c", $db: "t" };
  const failPoint = { configureFailPoint: "failGetMoreAfterCursorCheckout", mode: { times: 1 } };
  await client.must({ ...failPoint, data: { errorCode: 10107 } });
  const reply = await client.command(getMore);
  assert.equal(reply["errmsg"], "Hit the 'failGetMoreAfterCursorCheckout' failpoint");
  assert.equal(Number(reply["code"]), 10107);
  assert.equal(Number((await client.command(getMore))["code"]), 43);
});

failPointTest("commands that are not there yet fail as others do", async ({ client, port }) => {
  const other = await WireClient.connect(port);
  await arm(client, { times: 1 }, { failCommands: ["saslStart"], closeConnection: true });
  await assert.rejects(other.command({ saslStart: 1 }), /closed the connection/);
  other.close();
  assert.equal(Number((await client.command({ saslStart: 1 }))["code"]), 238);
});

failPointTest(
  "the commands for tests of the Stable API are in it, deprecated, or outside",
  async ({ client }) => {
    const cases: [command: Document, code: number | undefined][] = [
      [{ testVersion2: 1 }, undefined],
      [{ testVersion2: 1, apiVersion: "1", apiStrict: true }, 323],
      [{ testVersions1And2: 1, apiVersion: "1", apiStrict: true }, undefined],
      [{ testDeprecation: 1, apiVersion: "1", apiStrict: true }, undefined],
      [{ testDeprecation: 1, apiVersion: "1", apiDeprecationErrors: true }, 324],
    ];
    for (const [command, code] of cases) {
      const { ok, code: given, errmsg: _, codeName: __, ...shown } = await client.command(command);
      assert.equal(given === undefined ? undefined : Number(given), code, JSON.stringify(command));
      const [, ...asked] = Object.entries(command);
      if (Number(ok) === 1) assert.deepEqual(shown, Object.fromEntries(asked));
    }
  },
);

failPointTest(
  "a retryable write is done or not, and the connection closes before its answer",
  async (context) => {
    const { client, port } = context;
    const retryable = (number: number, _id: number) =>
      insert({ _id }, { lsid: SESSION, txnNumber: Long.fromNumber(number) });
    const failPoint = { configureFailPoint: "onPrimaryTransactionalWrite", mode: "alwaysOn" };
    const lost = async (command: Document) => {
      const other = await WireClient.connect(port);
      await assert.rejects(other.command(command), /closed the connection/);
      other.close();
    };
    const stored = async () =>
      (await client.documents({ find: "c", $db: "t" })).map(({ _id }) => Number(_id));
    await client.must(failPoint);
    await client.must(insert({ _id: 0 }));
    await lost(retryable(1, 1));
    assert.deepEqual(await stored(), [0, 1]);
    await client.must({ ...failPoint, data: { failBeforeCommitExceptionCode: 1 } });
    await lost(retryable(2, 2));
    await client.must({ ...failPoint, data: { failBeforeCommitExceptionCode: 1, closeConnection: false } });
    assert.equal(Number((await client.command(retryable(3, 3)))["code"]), 1);
    assert.deepEqual(await stored(), [0, 1]);
  },
);

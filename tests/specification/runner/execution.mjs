/** One test of a file: its data, its entities, its operations, and then what it expects. */
import { isDeepStrictEqual } from "node:util";
import { Entities } from "./entities.mjs";
import { Rows, runEntityOperation } from "./entity_operations.mjs";
import { checkError } from "./expected_error.mjs";
import { match, sameValue, show } from "./match.mjs";
import { expect, Mismatch, Unrunnable } from "./outcome.mjs";
import { runRunnerOperation } from "./runner_operations.mjs";

/**
 * @param file the file's content: createEntities, initialData
 * @param test {operations, expectEvents, outcome, …}
 * @param deployment {internal, addresses, server}: the runner's own client, the server's addresses, what it is
 * @throws Mismatch, Unrunnable, or whatever went wrong unexpectedly
 */
export async function runTest({ createEntities = [], initialData = [] }, test, deployment) {
  const { internal, addresses, server } = deployment;
  for (const data of initialData) await setUp(internal, data);
  const { $clusterTime } = await internal.db("admin").command({ ping: 1 });
  const entities = new Entities(addresses, server.topology, $clusterTime);
  const context = { entities, internal, failPoints: new Set(), run };
  async function run(operation, throws = false) {
    await runOperation(operation, context, throws);
  }
  try {
    try {
      await entities.create(createEntities);
      for (const operation of test.operations) await run(operation);
    } finally {
      entities.stopListening();
      await disarm(internal, context.failPoints);
    }
    for (const expected of test.expectEvents ?? []) {
      entities.events(expected.client).check(expected, entities);
    }
    for (const expected of test.expectLogMessages ?? []) {
      entities.log(expected.client).check(expected, entities);
    }
    for (const expected of test.outcome ?? []) await checkOutcome(internal, expected);
  } finally {
    await entities.close();
    if (usesTransactions(test)) await endTransactions(internal);
  }
}

/** @param throws whether an expected error is thrown on too: in a transaction's callback */
async function runOperation(operation, context, throws) {
  if (operation.object === "testRunner") return await runRunnerOperation(operation, context);
  const { entities, run } = context;
  let result;
  try {
    result = await runEntityOperation(operation, entities, run);
  } catch (error) {
    if (error instanceof Mismatch || error instanceof Unrunnable) throw error;
    if (operation.ignoreResultAndError !== true) {
      if (operation.expectError === undefined) throw error;
      checkError(operation.expectError, error, entities);
    }
    if (throws) throw error;
    return;
  }
  if (operation.ignoreResultAndError === true) return;
  expect(
    operation.expectError === undefined,
    `${operation.name}: no error, expected ${show(operation.expectError)}`,
  );
  if ("expectResult" in operation) checkResult(operation, result, entities);
  if (operation.saveResultAsEntity !== undefined) {
    entities.add(operation.saveResultAsEntity, result instanceof Rows ? result.documents : result);
  }
}

function checkResult({ name, expectResult }, result, entities) {
  if (!(result instanceof Rows)) return match(expectResult, result, entities, true, name);
  const { documents } = result;
  if (!Array.isArray(expectResult)) return match(expectResult, documents, entities, true, name);
  expect(
    documents.length === expectResult.length,
    `${name}: ${expectResult.length} documents expected, got ${documents.length}: ${show(documents)}`,
  );
  expectResult.forEach((expected, i) => match(expected, documents[i], entities, true, `${name}[${i}]`));
}

async function setUp(internal, { databaseName, collectionName, createOptions, documents }) {
  const writeConcern = { w: "majority" };
  const db = internal.db(databaseName);
  await db.dropCollection(collectionName, { writeConcern }).catch(ignoreMissing);
  if (documents.length === 0 || createOptions !== undefined) {
    await db.createCollection(collectionName, { ...createOptions, writeConcern });
  }
  if (documents.length > 0) await db.collection(collectionName).insertMany(documents, { writeConcern });
}

const NAMESPACE_NOT_FOUND = 26;

function ignoreMissing(error) {
  if (error.code !== NAMESPACE_NOT_FOUND) throw error;
}

async function checkOutcome(internal, { databaseName, collectionName, documents }) {
  const options = { sort: { _id: 1 }, readPreference: "primary", readConcern: { level: "local" } };
  const found = await internal.db(databaseName).collection(collectionName).find({}, options).toArray();
  expect(
    found.length === documents.length &&
      documents.every((document, i) =>
        isDeepStrictEqual(document, found[i]) || sameValue(document, found[i])
      ),
    `${databaseName}.${collectionName} holds ${show(found)}, expected ${show(documents)}`,
  );
}

async function disarm(internal, failPoints) {
  for (const configureFailPoint of failPoints) {
    await internal.db("admin").command({ configureFailPoint, mode: "off" });
  }
}

function usesTransactions({ operations }) {
  return operations.some(({ name }) => name === "startTransaction" || name === "withTransaction");
}

/** What killing all sessions may answer: it may end itself, or not be allowed. */
const KILLED_ITSELF = [11601, 13];

export async function endTransactions(internal) {
  try {
    await internal.db("admin").command({ killAllSessions: [] });
  } catch (error) {
    if (!KILLED_ITSELF.includes(error.code)) throw error;
  }
}

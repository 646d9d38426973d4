/** Operations on the runner itself: fail points, assertions, entities, threads. */
import { setTimeout as after } from "node:timers/promises";
import { expect, Unrunnable } from "./outcome.mjs";
import { match, show } from "./match.mjs";

const WAIT_MS = 10_000;
const LOOK_AFTER_MS = 10;

/**
 * @param context {entities, internal, failPoints, run}: the test's entities, the runner's own client, the names of the
 *   fail points that were armed, and what runs an operation
 */
export async function runRunnerOperation({ name, arguments: args = {} }, context) {
  const operation = OPERATIONS[name];
  if (operation === undefined) throw new Unrunnable(`the runner has no ${name}`);
  await operation(args, context);
}

const OPERATIONS = {
  failPoint: async ({ client, failPoint }, { entities, failPoints }) => {
    failPoints.add(failPoint.configureFailPoint);
    await entities.value(client).db("admin").command(failPoint, { readPreference: "primary" });
  },
  targetedFailPoint: async ({ session, failPoint }, { entities, internal, failPoints }) => {
    expect(entities.session(session).isPinned, "the session is pinned");
    failPoints.add(failPoint.configureFailPoint);
    await internal.db("admin").command(failPoint);
  },
  createEntities: ({ entities: definitions }, { entities }) => entities.create(definitions),
  wait: ({ ms }) => after(ms),
  runOnThread: ({ thread, operation }, { entities, run }) => entities.value(thread).run(() => run(operation)),
  waitForThread: async ({ thread }, { entities }) => {
    const late = after(WAIT_MS, "late", { ref: false });
    expect(await Promise.race([entities.value(thread).wait(), late]) !== "late", `${thread} ends in time`);
  },
  waitForEvent: ({ client, event, count }, { entities }) =>
    until(() => entities.events(client).count(event, entities) >= count, `${count} times ${show(event)}`),
  assertEventCount: ({ client, event, count }, { entities }) => {
    const seen = entities.events(client).count(event, entities);
    expect(seen === count, `expected ${count} times ${show(event)}, got ${seen}`);
  },
  assertNumberConnectionsCheckedOut: ({ client, connections }, { entities }) => {
    const { connectionsCheckedOut } = entities.events(client);
    expect(connectionsCheckedOut === connections, `${connectionsCheckedOut} connections are checked out`);
  },
  recordTopologyDescription: ({ client, id }, { entities }) =>
    entities.add(id, entities.value(client).topology.description),
  assertTopologyType: ({ topologyDescription, topologyType }, { entities }) => {
    const { type } = entities.value(topologyDescription);
    expect(type === topologyType, `the topology is ${type}`);
  },
  waitForPrimaryChange: ({ client, priorTopologyDescription, timeoutMS }, { entities }) => {
    const before = primaryOf(entities.value(priorTopologyDescription));
    const isOther = () =>
      ![before, undefined].includes(primaryOf(entities.value(client).topology.description));
    return until(isOther, "another primary", timeoutMS);
  },
  assertSessionTransactionState: ({ session, state }, { entities }) => {
    const actual = STATES[entities.session(session).transaction.state];
    expect(actual === state, `the transaction is ${actual}, not ${state}`);
  },
  assertSessionPinned: ({ session }, { entities }) => expect(entities.session(session).isPinned, "pinned"),
  assertSessionUnpinned: ({ session }, { entities }) =>
    expect(!entities.session(session).isPinned, "unpinned"),
  assertSessionDirty: ({ session }, { entities }) => expect(isDirty(entities.session(session)), "dirty"),
  assertSessionNotDirty: ({ session }, { entities }) =>
    expect(!isDirty(entities.session(session)), "not dirty"),
  assertSameLsidOnLastTwoCommands: ({ client }, { entities }) => {
    const [last, before] = lastSessionIds(client, entities);
    match(last, before, entities, false, "lsid");
  },
  assertDifferentLsidOnLastTwoCommands: ({ client }, { entities }) => {
    const [last, before] = lastSessionIds(client, entities);
    expect(!last.id.buffer.equals(before.id.buffer), "the sessions differ");
  },
  assertCollectionExists: async (args, { internal }) =>
    expect(await hasCollection(internal, args), show(args)),
  assertCollectionNotExists: async (args, { internal }) =>
    expect(!await hasCollection(internal, args), show(args)),
  assertIndexExists: async (args, { internal }) => expect(await hasIndex(internal, args), show(args)),
  assertIndexNotExists: async (args, { internal }) => expect(!await hasIndex(internal, args), show(args)),
};

/** The states as the driver names them, and as tests do. */
const STATES = {
  NO_TRANSACTION: "none",
  STARTING_TRANSACTION: "starting",
  TRANSACTION_IN_PROGRESS: "in_progress",
  TRANSACTION_COMMITTED: "committed",
  TRANSACTION_COMMITTED_EMPTY: "committed",
  TRANSACTION_ABORTED: "aborted",
};

async function until(condition, what, waitMs = WAIT_MS) {
  for (const end = Date.now() + waitMs; !condition();) {
    expect(Date.now() < end, `waited in vain for ${what}`);
    await after(LOOK_AFTER_MS);
  }
}

function primaryOf({ servers }) {
  return [...servers.values()].find(({ type }) => type === "RSPrimary")?.address;
}

function isDirty({ serverSession }) {
  return serverSession.isDirty;
}

function lastSessionIds(client, entities) {
  const ids = entities.events(client).commands().slice(-2).map(({ lsid }) => lsid);
  expect(ids.length === 2 && ids.every((id) => id !== undefined), "two commands with a session were sent");
  return ids;
}

async function hasCollection(internal, { databaseName, collectionName }) {
  return (await internal.db(databaseName).listCollections({ name: collectionName }).toArray()).length > 0;
}

async function hasIndex(internal, { databaseName, collectionName, indexName }) {
  if (!await hasCollection(internal, { databaseName, collectionName })) return false;
  const indexes = await internal.db(databaseName).collection(collectionName).listIndexes().toArray();
  return indexes.some(({ name }) => name === indexName);
}

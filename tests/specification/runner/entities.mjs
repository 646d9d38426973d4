/** The named things of a test: clients, databases, collections, sessions, buckets, cursors, threads, values. */
import { driver } from "./driver.mjs";
import { collectLog } from "./log_messages.mjs";
import { ObservedEvents } from "./observed_events.mjs";
import { withConcerns } from "./options.mjs";
import { Unrunnable } from "./outcome.mjs";

const { GridFSBucket, MongoClient } = driver;
/** So that a server that was lost is looked for soon, where a test does not watch how it is found. */
const FAST_HEARTBEAT = { heartbeatFrequencyMS: 500, minHeartbeatFrequencyMS: 5 };
const SERVER_SELECTION_MS = 5000;

export class Entities {
  #byName = new Map();
  #eventsOf = new Map();
  #logOf = new Map();
  #lsidOf = new Map();

  /**
   * @param addresses {one, two}: the URI, and the same server under two names, which a client takes for two routers
   * @param clusterTime of the setup: sessions begin there
   */
  constructor(addresses, topology, clusterTime) {
    this.addresses = addresses;
    this.topology = topology;
    this.clusterTime = clusterTime;
  }

  /** @param definitions as tests have them: [{client: {id, …}}, …] */
  async create(definitions) {
    for (const definition of definitions) {
      const [[kind, fields]] = Object.entries(definition);
      const make = MAKERS[kind];
      if (make === undefined) throw new Unrunnable(`the runner makes no ${kind}`);
      this.add(fields.id, await make(this, fields));
    }
  }

  add(name, value) {
    if (this.#byName.has(name)) throw new Unrunnable(`two entities are named ${name}`);
    this.#byName.set(name, value);
  }

  value(name) {
    if (!this.#byName.has(name)) throw new Unrunnable(`no entity is named ${name}`);
    return this.#byName.get(name);
  }

  session(name) {
    return this.value(name);
  }

  /** The session's id, though it may have ended. */
  sessionId(name) {
    this.value(name);
    return this.#lsidOf.get(name);
  }

  events(client) {
    return this.#eventsOf.get(client);
  }

  log(client) {
    return this.#logOf.get(client);
  }

  observe(name, events, log) {
    this.#eventsOf.set(name, events);
    this.#logOf.set(name, log);
  }

  rememberSessionId(name, id) {
    this.#lsidOf.set(name, id);
  }

  stopListening() {
    for (const events of this.#eventsOf.values()) events.stop();
    for (const log of this.#logOf.values()) log.stop();
  }

  /** Ends and closes everything. */
  async close() {
    const values = [...this.#byName.values()].reverse();
    const closing = [
      ...values.filter((value) => value instanceof driver.ClientSession).map((session) =>
        session.endSession()
      ),
      ...values.filter((value) => isCursor(value)).map((cursor) => cursor.close()),
    ];
    await Promise.allSettled(closing);
    await Promise.allSettled(
      values.filter((value) => value instanceof MongoClient).map((client) => client.close()),
    );
  }
}

export function isCursor(value) {
  return value instanceof driver.AbstractCursor || value instanceof driver.ChangeStream;
}

/** Operations that run one after another, beside those of the test. */
export class Thread {
  #last = Promise.resolve();

  run(operation) {
    this.#last = this.#last.then(operation);
    this.#last.catch(() => {});
  }

  /** @throws what an operation threw */
  wait() {
    return this.#last;
  }
}

const MAKERS = {
  client: makeClient,
  database: (entities, { client, databaseName, databaseOptions = {} }) =>
    entities.value(client).db(databaseName, withConcerns(databaseOptions)),
  collection: (entities, { database, collectionName, collectionOptions = {} }) =>
    entities.value(database).collection(collectionName, withConcerns(collectionOptions)),
  session: makeSession,
  bucket: (entities, { database, bucketOptions = {} }) =>
    new GridFSBucket(entities.value(database), withConcerns(bucketOptions)),
  thread: () => new Thread(),
};

async function makeClient(entities, fields) {
  const { id, uriOptions = {}, serverApi, observeEvents = [], observeLogMessages } = fields;
  if (fields.autoEncryptOpts !== undefined) {
    throw new Unrunnable("the driver has no client-side encryption here");
  }
  const log = collectLog(observeLogMessages);
  const uri = fields.useMultipleMongoses !== false && entities.topology === "sharded"
    ? entities.addresses.two
    : entities.addresses.one;
  const client = new MongoClient(uri, {
    ...(watchesServers(fields) ? {} : FAST_HEARTBEAT),
    serverSelectionTimeoutMS: SERVER_SELECTION_MS,
    monitorCommands: true,
    // The driver's own ping at the start would count among the events.
    __skipPingOnConnect: true,
    ...log.options,
    ...driverOptions(uriOptions),
    ...(serverApi === undefined ? {} : { serverApi }),
  });
  const events = new ObservedEvents(
    client,
    observeEvents,
    fields.ignoreCommandMonitoringEvents ?? [],
    fields.observeSensitiveCommands ?? false,
  );
  entities.observe(id, events, log);
  await client.connect();
  await untilPooled(client, fields);
  return client;
}

function watchesServers({ uriOptions = {}, observeEvents = [] }) {
  return "heartbeatFrequencyMS" in uriOptions ||
    observeEvents.some((name) => /^(server|topology|pool)/.test(name));
}

/** Tests that count connections may ask for the pool to be filled first. */
async function untilPooled(client, { awaitMinPoolSizeMS, uriOptions }) {
  if (awaitMinPoolSizeMS === undefined) return;
  const servers = () => [...client.topology.s.servers.values()];
  for (const end = Date.now() + awaitMinPoolSizeMS; Date.now() < end;) {
    if (servers().every(({ pool }) => pool.availableConnectionCount >= uriOptions.minPoolSize)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Unrunnable("the pool was not filled in time");
}

/** The names of the URI's options, as the driver's options have them. */
function driverOptions(uriOptions) {
  const { appname, wTimeoutMS, ...options } = uriOptions;
  if (appname !== undefined) options.appName = appname;
  if (wTimeoutMS !== undefined) options.wtimeoutMS = wTimeoutMS;
  return options;
}

function makeSession(entities, { id, client, sessionOptions = {} }) {
  const { defaultTransactionOptions, snapshotTime, ...options } = sessionOptions;
  if (defaultTransactionOptions !== undefined) {
    options.defaultTransactionOptions = withConcerns(defaultTransactionOptions);
  }
  if (snapshotTime !== undefined) options.snapshotTime = entities.value(snapshotTime);
  const session = entities.value(client).startSession(options);
  if (entities.clusterTime !== undefined) session.advanceClusterTime(entities.clusterTime);
  entities.rememberSessionId(id, session.id);
  return session;
}

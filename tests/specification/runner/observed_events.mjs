/** The events that a client raises, kept in their order, and what a test expects of them. */
import { driver } from "./driver.mjs";
import { expect } from "./outcome.mjs";
import { match, matches, show } from "./match.mjs";

const COMMAND_EVENTS = ["commandStarted", "commandSucceeded", "commandFailed"];
const POOL_EVENTS = [
  "connectionPoolCreated",
  "connectionPoolReady",
  "connectionPoolCleared",
  "connectionPoolClosed",
  "connectionCreated",
  "connectionReady",
  "connectionClosed",
  "connectionCheckOutStarted",
  "connectionCheckOutFailed",
  "connectionCheckedOut",
  "connectionCheckedIn",
];
const TOPOLOGY_EVENTS = [
  "serverDescriptionChanged",
  "serverHeartbeatStarted",
  "serverHeartbeatSucceeded",
  "serverHeartbeatFailed",
  "topologyDescriptionChanged",
  "topologyOpening",
  "topologyClosed",
];
const KINDS = { command: COMMAND_EVENTS, cmap: POOL_EVENTS, sdam: TOPOLOGY_EVENTS };
/** Of these neither command nor answer is shown to listeners: tests ask for them only where they say so. */
const SENSITIVE = new Set([
  "authenticate",
  "saslStart",
  "saslContinue",
  "getnonce",
  "createUser",
  "updateUser",
  "copydbgetnonce",
  "copydbsaslstart",
  "copydb",
]);

export class ObservedEvents {
  /** {kind, name, event}, in order. */
  #events = [];
  #checkedOut = 0;
  #listening = true;

  /**
   * @param client the client
   * @param wanted names as tests have them, such as `commandStartedEvent`
   * @param ignored names of commands
   * @param sensitive whether sensitive commands count
   */
  constructor(client, wanted, ignored, sensitive) {
    const ignoredCommands = new Set(["configureFailPoint", ...ignored]);
    for (const [kind, names] of Object.entries(KINDS)) {
      for (const name of names) {
        const asked = nameInTests(name);
        if (!wanted.includes(asked)) continue;
        client.on(name, (event) => {
          if (!this.#listening) return;
          if (kind === "command" && ignoredCommands.has(event.commandName)) return;
          if (kind === "command" && !sensitive && isSensitive(event)) return;
          this.#events.push({ kind, name: asked, event: kind === "command" ? asItIs(event) : event });
        });
      }
    }
    client.on("connectionCheckedOut", () => this.#checkedOut++);
    client.on("connectionCheckedIn", () => this.#checkedOut--);
  }

  get connectionsCheckedOut() {
    return this.#checkedOut;
  }

  stop() {
    this.#listening = false;
  }

  /** The commands that were sent. */
  commands() {
    return this.#events.filter(({ name }) => name === "commandStartedEvent").map(({ event }) =>
      event.command
    );
  }

  count(expected, entities) {
    return this.#events.filter((observed) => isExpected(expected, observed, entities)).length;
  }

  /** @throws Mismatch unless the events of that kind are the expected ones, in their order */
  check({ eventType = "command", events, ignoreExtraEvents = false }, entities) {
    const observed = this.#events.filter(({ kind }) => kind === eventType);
    events.forEach((expected, i) => {
      const [[name, fields]] = Object.entries(expected);
      const found = observed[i];
      expect(found !== undefined, `event ${i}: expected ${name}, got no more (${namesOf(observed)})`);
      expect(found.name === name, `event ${i}: expected ${name}, got ${found.name} (${namesOf(observed)})`);
      checkFields(fields, found.event, entities, `event ${i} (${name} ${found.event.commandName ?? ""})`);
    });
    if (ignoreExtraEvents) return;
    expect(
      observed.length <= events.length,
      `${events.length} events expected, ${observed.length} seen: ${namesOf(observed)}`,
    );
  }
}

/** The event with its documents as they are now: the driver uses parts of a command for the next one. */
function asItIs(event) {
  const { commandName, databaseName, serviceId, serverConnectionId, command, reply } = event;
  return {
    ...{ commandName, databaseName, serviceId, serverConnectionId },
    command: deepCopy(command),
    reply: deepCopy(reply),
  };
}

function deepCopy(value) {
  if (Array.isArray(value)) return value.map(deepCopy);
  if (value === null || typeof value !== "object" || value._bsontype !== undefined) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !isConcern(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, deepCopy(field)]));
}

/** Of the driver's own classes only concerns stand in commands. */
function isConcern(value) {
  return value instanceof driver.ReadConcern || value instanceof driver.WriteConcern;
}

function nameInTests(name) {
  return `${name.replace("connectionPool", "pool")}Event`;
}

function isSensitive({ commandName, command, reply }) {
  const shown = command ?? reply;
  const isRedactedHello = /^(hello|ismaster)$/i.test(commandName) && shown !== undefined &&
    Object.keys(shown).length === 0;
  return SENSITIVE.has(commandName) || isRedactedHello;
}

function namesOf(observed) {
  return observed.map(({ name, event }) => [name, event.commandName].filter(Boolean).join(" ")).join(", ");
}

function isExpected(expected, observed, entities) {
  const [[name, fields]] = Object.entries(expected);
  if (observed.name !== name) return false;
  try {
    checkFields(fields, observed.event, entities, name);
    return true;
  } catch {
    return false;
  }
}

function checkFields(fields, event, entities, where) {
  for (const [name, value] of Object.entries(fields)) {
    switch (name) {
      case "command":
      case "reply":
        match(value, event[name], entities, true, `${where} ${name}`);
        break;
      case "hasServiceId":
        expect((event.serviceId !== undefined && event.serviceId !== null) === value, `${where}: serviceId`);
        break;
      case "hasServerConnectionId":
        expect(
          (typeof event.serverConnectionId === "bigint" && event.serverConnectionId > 0n) === value,
          `${where}: serverConnectionId is ${show(event.serverConnectionId)}`,
        );
        break;
      case "previousDescription":
      case "newDescription":
        expect(
          value.type === undefined || value.type === event[name].type,
          `${where}: expected ${value.type}, got ${event[name].type}`,
        );
        break;
      default:
        expect(matches(value, event[name], entities), `${where}: ${name} is ${show(event[name])}`);
    }
  }
}

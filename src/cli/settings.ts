/**
 * From command line, environment and config file to the settings that the server runs with. Pure: what it needs from
 * outside comes in as functions.
 */
import { parseArgs } from "node:util";
import {
  BLOCK_COMPRESSORS,
  type BlockCompressor,
  LOG_LEVELS,
  type LogLevel,
  MIN_MEMORY_LIMIT_BYTES,
} from "../base/mod.ts";
import type { LogRetention } from "../cluster/mod.ts";
import { type ListenAddress, parseListenAddress } from "./address.ts";
import { parseConfig } from "./config_file.ts";
import {
  findOption,
  MONGOD_FLAGS,
  nearestName,
  OPTION_LIST,
  type OptionName,
  variableOf,
} from "./options.ts";
import { StartError, usageError } from "./start_error.ts";
import { parseStartParameters, type StartParameters } from "./start_parameters.ts";
import { readSubcommand, type Subcommand, SUBCOMMANDS } from "./subcommand.ts";

/** What the server runs with. Plain values: they cross to the server's Worker. */
export interface Settings {
  readonly dataDir: string;
  readonly mongo: ListenAddress;
  readonly http: ListenAddress;
  /** True when peers on other machines are served without access control. */
  readonly insecure: boolean;
  /** `commit`: synced before the answer; `interval`: within 100 ms. */
  readonly durability: "commit" | "interval";
  readonly blockCompressor: BlockCompressor;
  /** What the process's resident memory keeps to, in bytes. */
  readonly memoryLimitBytes: number;
  /** How long the log can be read after its entries have reached the stores. */
  readonly logRetention: LogRetention;
  /** The replica set whose one member the server says that it is; undefined for a router. */
  readonly replicaSet: string | undefined;
  /** Where clients of the replica set are told to connect; port 0 is that of `mongo`. Unset unless given. */
  readonly advertise: ListenAddress | undefined;
  readonly parameters: StartParameters;
  readonly logLevel: LogLevel;
  /** Unset unless given. */
  readonly nodeId: string | undefined;
  /** Unset unless given. */
  readonly clusterId: string | undefined;
}

/** What a command line asks for. */
export type Request =
  | Subcommand
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "start"; readonly settings: Settings };

/** What reading the settings needs from outside. */
export interface Surroundings {
  /** The value of an environment variable. */
  variable(name: string): string | undefined;
  /** The text of a file. @throws whatever the platform has to say */
  readTextFile(path: string): string;
}

interface Given {
  readonly text: string;
  /** How an error names the place it came from. */
  readonly origin: string;
}

type GivenValues = Map<OptionName, Given>;

/**
 * Reads what a command line, the environment and the config file ask for.
 *
 * @throws StartError with one line that says what is wrong; exit code 2 for usage, 1 for an unreadable config file
 */
export function readRequest(args: readonly string[], surroundings: Surroundings): Request {
  const subcommand = readSubcommand(args);
  if (subcommand !== undefined) return subcommand;
  const flags = readFlags(args);
  if (flags.has("help")) return { kind: "help" };
  if (flags.has("version")) return { kind: "version" };
  const variables = readVariables(surroundings);
  const configPath = flags.get("config") ?? variables.get("config");
  const file = configPath === undefined ? new Map() : readConfigFile(configPath, surroundings);
  return { kind: "start", settings: toSettings(new Map([...file, ...variables, ...flags])) };
}

function readFlags(args: readonly string[]): GivenValues {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      OPTION_LIST.map((
        option,
      ) => [option.name, { type: option.valueName === undefined ? "boolean" : "string" }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: GivenValues = new Map();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      const words = SUBCOMMANDS.join(" or ");
      throw usageError(
        `unexpected argument "${token.value}"; options start with --, only ${words} may stand first; see --help`,
      );
    }
    const option = findOption(token.rawName === "-h" ? "help" : token.name);
    if (option === undefined || !(token.rawName.startsWith("--") || token.rawName === "-h")) {
      throw unknownFlag(token.rawName);
    }
    const text = flagText(option.valueName, token);
    const before = option.repeats === true ? values.get(option.name) : undefined;
    values.set(option.name, {
      text: before === undefined ? text : `${before.text},${text}`,
      origin: token.rawName,
    });
  }
  return values;
}

function flagText(
  valueName: string | undefined,
  token: {
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
): string {
  if (valueName === undefined) return token.value ?? "true";
  const looksLikeFlag = token.inlineValue !== true && token.value?.startsWith("--") === true;
  if (token.value === undefined || token.value === "" || looksLikeFlag) {
    throw usageError(`${token.rawName} needs a value: ${token.rawName} ${valueName}`);
  }
  return token.value;
}

function unknownFlag(rawName: string): StartError {
  const name = rawName.replace(/^-+/, "");
  const ours = Object.hasOwn(MONGOD_FLAGS, name) ? MONGOD_FLAGS[name] : undefined;
  if (ours !== undefined) return usageError(`unknown flag ${rawName}; ChronoGo has ${ours} for it`);
  const nearest = nearestName(name, OPTION_LIST.map((option) => option.name));
  return usageError(
    `unknown flag ${rawName}${nearest === undefined ? "; see --help" : `; did you mean --${nearest}?`}`,
  );
}

function readVariables(surroundings: Surroundings): GivenValues {
  const values: GivenValues = new Map();
  for (const option of OPTION_LIST) {
    if (option.flagOnly === true) continue;
    const origin = variableOf(option.name);
    const text = surroundings.variable(origin);
    if (text !== undefined && text !== "") values.set(option.name, { text, origin });
  }
  return values;
}

function readConfigFile(path: Given, surroundings: Surroundings): GivenValues {
  let text: string;
  try {
    text = surroundings.readTextFile(path.text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`cannot read config file ${path.text}: ${reason}`);
  }
  const values: GivenValues = new Map();
  for (const [name, value] of parseConfig(path.text, text)) {
    values.set(name, { text: value, origin: `config file ${path.text}: ${name}` });
  }
  return values;
}

function toSettings(values: GivenValues): Settings {
  const read = <T>(name: OptionName, parse: (text: string) => T): T | undefined => {
    const given = values.get(name);
    const text = given?.text ?? findOption(name)?.defaultText;
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      throw new StartError(`${given?.origin ?? name} "${text}": ${error.message}`, error.exitCode);
    }
  };
  const required = <T>(name: OptionName, parse: (text: string) => T): T => {
    const value = read(name, parse);
    if (value === undefined) throw new StartError(`option ${name} has no default`);
    return value;
  };
  const settings = {
    dataDir: required("data-dir", (text) => text),
    mongo: required("mongo-addr", parseListenAddress),
    http: required("http-addr", parseListenAddress),
    insecure: read("insecure", parseSwitch) ?? false,
    durability: required("durability", oneOf(["commit", "interval"])),
    blockCompressor: required("block-compressor", oneOf(BLOCK_COMPRESSORS)),
    memoryLimitBytes: required("memory-limit", parseMemoryLimit),
    logRetention: required("log-retention", parseLogRetention),
    replicaSet: read("replica-set", parseName),
    advertise: read("advertise", parseAdvertised),
    parameters: read("set-parameter", parseStartParameters) ?? {},
    logLevel: required("log-level", oneOf(LOG_LEVELS)),
    nodeId: read("node-id", parseName),
    clusterId: read("cluster-id", parseUuid),
  };
  refuseCluster(
    required("cluster-role", oneOf(["all", "mnode", "dnode"])),
    read("mnode-list", parseAddressList),
  );
  if (settings.mongo.port !== 0 && settings.mongo.port === settings.http.port) {
    throw usageError(`--mongo-addr and --http-addr both have port ${settings.mongo.port}; choose two`);
  }
  if (settings.advertise !== undefined && settings.replicaSet === undefined) {
    throw usageError("--advertise is for the clients of a replica set: give --replica-set too");
  }
  return settings;
}

function refuseCluster(role: "all" | "mnode" | "dnode", mnodes: readonly ListenAddress[] | undefined): void {
  const later = "clusters come in a later version";
  if (role !== "all") {
    throw new StartError(`--cluster-role ${role}: ${later}; start one node with --cluster-role all`);
  }
  if (mnodes !== undefined) throw new StartError(`--mnode-list: ${later}; start one node without it`);
}

function oneOf<const T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((value) => value === text);
    if (found === undefined) {
      throw usageError(`expected ${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`);
    }
    return found;
  };
}

function parseSwitch(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw usageError("expected true or false");
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** Bytes, or a number with a unit: `256MB`, `1.5GiB`, `2g`; units are powers of 1024. */
function parseSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(?:([KMGT])?(?:i?B)?|B)$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(Number(number) * SIZE_UNITS[(unit ?? "").toUpperCase()]!);
}

const TIME_UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a number with a unit: `90s`, `30m`, `1.5h`, `7d`; 0 needs none. */
function parseTime(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([smhd])$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) return text === "0" ? 0 : undefined;
  return Math.floor(Number(number) * TIME_UNITS_MS[unit.toLowerCase()]!);
}

function parseLogRetention(text: string): LogRetention {
  const [size = "", time = "", ...more] = text.split(",").map((part) => part.trim());
  const [bytes, ms] = [parseSize(size), parseTime(time)];
  if (bytes === undefined || ms === undefined || more.length > 0) {
    throw usageError("expected a size and a time, such as 64MB,1h or 2GB,7d");
  }
  return { bytes, ms };
}

function parseMemoryLimit(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw usageError("expected a size such as 256MB, 2GB or plain bytes");
  if (bytes < MIN_MEMORY_LIMIT_BYTES) {
    throw usageError(`less than the server can run in, ${MIN_MEMORY_LIMIT_BYTES / 2 ** 20}MB`);
  }
  return bytes;
}

function parseName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) {
    throw usageError("expected 1 to 64 letters, digits, dots, _ or -");
  }
  return text;
}

function parseUuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw usageError("expected a UUID such as 6f1c2a9e-1b7d-4c53-9a55-0c6e0f5a7d21");
  }
  return text.toLowerCase();
}

function parseAdvertised(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address.hostname === "") throw usageError("expected host:port, with the host that clients connect to");
  return address;
}

function parseAddressList(text: string): readonly ListenAddress[] {
  return text.split(",").map((part) => {
    const address = parseListenAddress(part.trim());
    if (address.hostname === "" || address.port === 0) throw usageError("expected host:port, each with both");
    return address;
  });
}

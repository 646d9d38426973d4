/**
 * All options of the server, in the order of `--help`. Each is a flag, an environment variable and a key of the config
 * file under one name: `--data-dir`, `CHRONOGO_DATA_DIR`, `data-dir:`. A flag wins over a variable, that over the file.
 */

/** One option. */
export interface Option {
  readonly name: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly valueName?: string;
  /** The value when nobody gives one; absent where there is none. */
  readonly defaultText?: string;
  /** What it does, in lines of at most 80 columns. */
  readonly explanation: readonly string[];
  /** True for the options that only make sense on a command line. */
  readonly flagOnly?: boolean;
  /** True for a list that may also be given one by one. */
  readonly repeats?: boolean;
}

export const OPTIONS = [
  {
    name: "data-dir",
    valueName: "DIR",
    defaultText: "./data",
    explanation: ["where the data lives; made when it is not there"],
  },
  {
    name: "mongo-addr",
    valueName: "HOST:PORT",
    defaultText: ":27017",
    explanation: ["where MongoDB drivers and mongosh connect; no host: all interfaces, port 0: any free one"],
  },
  {
    name: "http-addr",
    valueName: "HOST:PORT",
    defaultText: ":8080",
    explanation: ["where GET /health answers"],
  },
  {
    name: "insecure",
    explanation: [
      "serve peers on other machines too, without access control;",
      "without it only this machine is served (protected mode)",
    ],
  },
  {
    name: "durability",
    valueName: "commit|interval",
    defaultText: "commit",
    explanation: [
      "commit: a write is on disk before it is acknowledged;",
      "interval: the disk follows within 100 ms, and a crash may lose that",
    ],
  },
  {
    name: "block-compressor",
    valueName: "zstd|lz4|none",
    defaultText: "zstd",
    explanation: ["what packs texts and headers in segments from now on; older ones stay readable"],
  },
  {
    name: "memory-limit",
    valueName: "SIZE",
    defaultText: "1GB",
    explanation: [
      "what the process may take of the machine's memory: 256MB, 2GB or bytes; at least 192MB.",
      "Near it caches shrink, writers wait, queries use the disk",
    ],
  },
  {
    name: "log-retention",
    valueName: "SIZE,TIME",
    defaultText: "64MB,1h",
    explanation: [
      "how long the write-ahead log can be read after all is stored elsewhere:",
      "until it takes more than SIZE or is older than TIME (30m, 1h, 7d); 0,0 for not at all",
    ],
  },
  {
    name: "replica-set",
    valueName: "NAME",
    explanation: [
      "answer as the primary of a replica set of that name, of one member, instead of as a router:",
      "for addresses with ?replicaSet=NAME",
    ],
  },
  {
    name: "advertise",
    valueName: "HOST:PORT",
    explanation: [
      "where clients of --replica-set are told to connect, which they must be able to reach;",
      "by default --mongo-addr, with the machine's name for all interfaces",
    ],
  },
  {
    name: "set-parameter",
    valueName: "NAME=VALUE,…",
    explanation: [
      "server parameters, as setParameter has them, that hold from the start on; may be repeated.",
      "enableTestCommands=1 gives tests the commands that make the server fail",
    ],
    repeats: true,
  },
  {
    name: "log-level",
    valueName: "LEVEL",
    defaultText: "info",
    explanation: ["debug, info, warn or error; the log goes to stderr"],
  },
  {
    name: "config",
    valueName: "FILE",
    explanation: ["a YAML or JSON file with these options, named as the flags are"],
  },
  {
    name: "cluster-role",
    valueName: "ROLE",
    defaultText: "all",
    explanation: ["all; mnode and dnode come with the cluster, in a later version"],
  },
  {
    name: "node-id",
    valueName: "NAME",
    explanation: ["this node's name in a cluster: letters, digits, . _ - (at most 64)"],
  },
  {
    name: "cluster-id",
    valueName: "UUID",
    explanation: ["the cluster that this node belongs to"],
  },
  {
    name: "mnode-list",
    valueName: "HOST:PORT,…",
    explanation: ["the cluster's MNodes; joining one comes in a later version"],
  },
  { name: "version", explanation: ["print the version and leave"], flagOnly: true },
  { name: "help", explanation: ["print this and leave; -h too"], flagOnly: true },
] as const satisfies readonly Option[];

export type OptionName = typeof OPTIONS[number]["name"];

/** The table with the type that loops need. */
export const OPTION_LIST: readonly (Option & { readonly name: OptionName })[] = OPTIONS;

/** What somebody types who knows mongod, and what it is here. */
export const MONGOD_FLAGS: Readonly<Record<string, string>> = {
  port: "--mongo-addr :PORT",
  bind_ip: "--mongo-addr HOST:PORT",
  dbpath: "--data-dir DIR",
  replSet: "--replica-set NAME",
};

/** The environment variable of an option: `CHRONOGO_DATA_DIR`. */
export function variableOf(name: string): string {
  return `CHRONOGO_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** The option of that name, if there is one. */
export function findOption(name: string): (Option & { readonly name: OptionName }) | undefined {
  return OPTION_LIST.find((option) => option.name === name);
}

/** The known name nearest to a wrong one (two letters, or a third of them, may differ), or undefined. */
export function nearestName(wrong: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(wrong.toLowerCase(), name) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (ranked === undefined) return undefined;
  return ranked.distance <= Math.max(2, Math.floor(ranked.name.length / 3)) ? ranked.name : undefined;
}

/** Levenshtein's distance: insertions, deletions and substitutions of one letter, one row of the matrix at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

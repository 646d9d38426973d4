/**
 * The words that may stand before the flags: `chronogo check DIR`, `chronogo inspect FILE`. Both only read; neither
 * looks at the environment or the config file.
 */
import { usageError } from "./start_error.ts";

export const SUBCOMMANDS = ["check", "inspect"] as const;
export type SubcommandName = typeof SUBCOMMANDS[number];

/** What a subcommand is asked for. */
export type Subcommand =
  | { readonly kind: SubcommandName; readonly path: string }
  | { readonly kind: "subcommand-help"; readonly name: SubcommandName };

const ARGUMENTS: Readonly<Record<SubcommandName, string>> = { check: "DIR", inspect: "FILE" };

/** @returns undefined when the command line starts with none. @throws StartError with exit code 2 for usage */
export function readSubcommand(args: readonly string[]): Subcommand | undefined {
  const kind = SUBCOMMANDS.find((name) => name === args[0]);
  if (kind === undefined) return undefined;
  const usage = `chronogo ${kind} ${ARGUMENTS[kind]}`;
  const paths: string[] = [];
  for (const arg of args.slice(1)) {
    if (arg === "--help" || arg === "-h") return { kind: "subcommand-help", name: kind };
    if (arg.startsWith("-")) throw usageError(`unknown flag ${arg}; the whole command is ${usage}`);
    paths.push(arg);
  }
  const [path] = paths;
  if (path === undefined || path === "" || paths.length > 1) {
    throw usageError(`${kind} takes one ${ARGUMENTS[kind] === "DIR" ? "folder" : "file"}: ${usage}`);
  }
  return { kind, path };
}

/** What `chronogo check --help` and `chronogo inspect --help` print. */
export function subcommandHelp(name: SubcommandName): string {
  return (name === "check" ? CHECK_HELP : INSPECT_HELP).join("\n");
}

const CHECK_HELP = [
  "chronogo check DIR",
  "",
  "Reads a whole data folder: every checksum, every page of every segment, every document, the",
  "log from end to end; and compares what the files say of each other. Nothing is written, torn",
  "tails and leftovers of a crash stay as they are. Stop the server first.",
  "",
  "Prints a line for each file with what it holds, a line for each problem",
  "    PATH: at byte N: what is wrong",
  "(paths below DIR), and a summary.",
  "",
  "Exit codes: 0 all is well; 1 problems were found; 2 nothing was checked: wrong usage, no such",
  "folder, or a server runs on it.",
];

const INSPECT_HELP = [
  "chronogo inspect FILE",
  "",
  "Prints what is in one file of a data folder, for reading:",
  "    log/NNNNNNNNNN.log                  the header and each record",
  "    mnode/catalog                       each collection and its options",
  "    vnode-N/timeseries/MANIFEST-NNNNNN  each change (CURRENT: of the manifest that it names)",
  "    vnode-N/timeseries/SERIES           each record, with the first meta of its series",
  "    vnode-N/timeseries/NNNNNNNN.seg     tables, row groups and pages: codecs, sizes, min and max",
  "Nothing is written. The kind is told by the file's first bytes, SERIES by its name.",
  "",
  "Exit codes: 0 all of it was printed; 1 the file is damaged; 2 no such file, none of ours.",
];

/** The options of `deno task spec`. */
import { parseArgs } from "node:util";
import { SUITES } from "./suites.ts";

/** What a server says that it is. */
export type Identity = "router" | "replica-set";

export interface SpecificationOptions {
  readonly suites: readonly string[];
  /** Only tests whose description matches. */
  readonly pattern: string;
  readonly identities: readonly Identity[];
  /** A server that is there already, instead of ones that are started. */
  readonly uri: string | undefined;
  /** Whether docs/specification_tests.md is written. */
  readonly writesPage: boolean;
}

export const USAGE = `deno task spec [--suite NAME …] [--test PATTERN] [--identity NAME] [--uri URI] [--page]

  --suite      one of the suites (all): ${SUITES.map(({ name }) => name).join(", ")}
  --test       only tests whose description matches the regular expression
  --identity   router or replica-set (both, one after the other)
  --uri        run against the server at that address, such as a mongod, and compare with no list of failures
  --page       write the numbers and the known failures to docs/specification_tests.md
  --help       print this and leave

The tests are those of https://github.com/mongodb/specifications: from the checkout that CHRONOGO_SPECIFICATIONS names,
or else downloaded once. Exit code 1 when a test fails that is not known to, or one does not fail that is.`;

/** The options, or "help" when they ask for it. @throws Error with the usage when an option is wrong */
export function parseOptions(args: readonly string[]): SpecificationOptions | "help" {
  const values = parseFlags(args);
  if (values.help === true) return "help";
  for (const name of values.suite ?? []) {
    if (!SUITES.some((suite) => suite.name === name)) throw new Error(`no suite "${name}"\n\n${USAGE}`);
  }
  return {
    suites: values.suite ?? SUITES.map(({ name }) => name),
    pattern: values.test ?? "",
    identities: values.identity === undefined ? ["router", "replica-set"] : [identityOf(values.identity)],
    uri: values.uri,
    writesPage: values.page === true,
  };
}

function identityOf(name: string): Identity {
  if (name === "router" || name === "replica-set") return name;
  throw new Error(`no identity "${name}"\n\n${USAGE}`);
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        suite: { type: "string", multiple: true },
        test: { type: "string" },
        identity: { type: "string" },
        uri: { type: "string" },
        page: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

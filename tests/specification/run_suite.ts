/** Runs one suite in a Node process, which runs the tests over the Node driver, and reads what it prints. */
import { installClients, NODE_ENVIRONMENT } from "../clients/installed_clients.ts";
import type { KnownFailure } from "./known_failures.ts";

const RUNNER = new URL("./runner/run.mjs", import.meta.url).pathname;

/** How a server is reached: by its URI, and under two names, which a client takes for two routers. */
export interface Addresses {
  readonly one: string;
  readonly two: string;
}

/** What the runner says of a test. */
export interface TestResult {
  readonly suite: string;
  /** The file's name without its folder. */
  readonly file: string;
  readonly test: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason: string | undefined;
  readonly ms: number;
  /** Set where it failed and is known to. */
  readonly known?: KnownFailure;
}

/**
 * @param files paths of the suite's files
 * @param pattern a regular expression that descriptions must match
 * @throws Error when the runner itself ends with an error
 */
export async function* runSuite(
  suite: string,
  files: readonly string[],
  addresses: Addresses,
  pattern: string,
): AsyncGenerator<TestResult> {
  await installClients();
  const child = new Deno.Command("node", {
    args: [RUNNER, JSON.stringify(addresses), pattern],
    env: NODE_ENVIRONMENT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(files.join("\n")));
  await writer.close();
  for await (const line of linesOf(child.stdout)) {
    const { file, ...result } = JSON.parse(line);
    yield { suite, file: file.slice(file.lastIndexOf("/") + 1), reason: undefined, ...result };
  }
  const { code } = await child.status;
  if (code !== 0) throw new Error(`the runner of ${suite} ended with ${code}`);
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

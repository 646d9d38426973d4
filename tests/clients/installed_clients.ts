/** The clients of the suite, as their registries ship them. */
import { installPackages } from "../../scripts/installed_packages.ts";

const FOLDER = new URL("./.installed/", import.meta.url).pathname;
const PROGRAMS = new URL("./programs/", import.meta.url).pathname;
const NODE_PACKAGES = [
  "mongodb@7.9.0",
  "mongoose@9.12.1",
  "mongosh@2.12.0",
  "vega-datasets@3.2.1",
  // How Compass reads a plan.
  "@mongodb-js/explain-plan-helper@1.5.15",
];
const PYTHON_PACKAGES = ["pymongo==4.20.0"];

/** What a client program left behind. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Installs the clients if they are not there. @throws Error when a registry cannot be reached */
export async function installClients(): Promise<void> {
  await installPackages({
    folder: FOLDER,
    npm: NODE_PACKAGES,
    python: PYTHON_PACKAGES,
    name: "the clients of the suite (200 MB)",
  });
}

/** Runs a program of the folder `programs/` in Node. It finds the packages through the variable CLIENTS. */
export function runNode(program: string, ...args: string[]): Promise<ProgramResult> {
  return run("node", [`${PROGRAMS}${program}`, ...args]);
}

/** Runs the text of a program in Node, where it finds the packages by their names. */
export async function runProgram(text: string): Promise<ProgramResult> {
  const path = await Deno.makeTempFile({ dir: FOLDER, suffix: ".mjs" });
  try {
    await Deno.writeTextFile(path, text);
    return await run("node", [path]);
  } finally {
    await Deno.remove(path);
  }
}

/** Runs a program of the folder `programs/` in Python. */
export function runPython(program: string, ...args: string[]): Promise<ProgramResult> {
  return run("python3", [`${PROGRAMS}${program}`, ...args]);
}

/** Runs a script of the folder `programs/` in mongosh, connected to `uri`. */
export function runMongosh(script: string, uri: string): Promise<ProgramResult> {
  const shell = `${FOLDER}node_modules/.bin/mongosh`;
  return run(shell, [uri, "--quiet", "--norc", "--file", `${PROGRAMS}${script}`]);
}

/** The path of a file of an installed Node package. */
export function packageFile(path: string): string {
  return `${FOLDER}node_modules/${path}`;
}

/** What a Node program needs to find the packages, through the variable CLIENTS. */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = { CLIENTS: FOLDER };

async function run(program: string, args: string[]): Promise<ProgramResult> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    // mongosh keeps its settings and history below HOME.
    env: { CLIENTS: FOLDER, PYTHONPATH: `${FOLDER}python`, HOME: FOLDER, PYTHONDONTWRITEBYTECODE: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

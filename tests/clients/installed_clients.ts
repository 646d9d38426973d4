/**
 * The clients of the suite, as their registries ship them, in a folder of their own that git does not see. They are
 * installed once; a file names what is there, so that a change of the list installs anew.
 */
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
  const wanted = [...NODE_PACKAGES, ...PYTHON_PACKAGES].join("\n");
  const stamp = `${FOLDER}installed.txt`;
  if (readIfThere(stamp) === wanted) return;
  console.error("installing the clients of the suite into tests/clients/.installed (once, about 200 MB)");
  Deno.mkdirSync(FOLDER, { recursive: true });
  const npm = ["install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", FOLDER];
  await install("npm", [...npm, ...NODE_PACKAGES]);
  const pip = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", `${FOLDER}python`];
  await install("python3", [...pip, ...PYTHON_PACKAGES]);
  Deno.writeTextFileSync(stamp, wanted);
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

async function install(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}:\n${new TextDecoder().decode(stderr)}`);
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Packages from the registries that tests, benches and scripts use and the product does without: installed once, each kind
 * into a folder of its own that git does not see.
 */
const STAMP = "installed.txt";

export interface Packages {
  /** Ends with a slash: those of npm are in its `node_modules`, those of Python in its `python`. */
  readonly folder: string;
  readonly npm?: readonly string[];
  readonly python?: readonly string[];
  /** What people read when they have to wait: the packages' name and size. */
  readonly name: string;
}

/**
 * Installs packages if they are not there. A file in the folder says which are, so that a change of the list installs anew.
 *
 * @throws Error with what npm or pip says
 */
export async function installPackages({ folder, npm = [], python = [], name }: Packages): Promise<void> {
  const wanted = [...npm, ...python].join("\n");
  if (readIfThere(folder + STAMP) === wanted) return;
  console.error(`installing ${name}, once`);
  Deno.mkdirSync(folder, { recursive: true });
  const quietly = ["install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", folder];
  if (npm.length > 0) await run("npm", [...quietly, ...npm]);
  const pip = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", `${folder}python`];
  if (python.length > 0) await run("python3", [...pip, ...python]);
  Deno.writeTextFileSync(folder + STAMP, wanted);
}

/** Runs a program to its end, in a folder if one is named. @throws Error with what it says when it fails */
export async function run(program: string, args: string[], cwd?: string): Promise<void> {
  const command = new Deno.Command(program, { args, stdout: "null", ...(cwd && { cwd }) });
  const { success, stderr } = await command.output();
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

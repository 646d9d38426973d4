/**
 * A self-extracting executable, for machines where `deno compile` cannot get its base runtime:
 *
 *     0                 launcher.sh, filled in, padded with newlines to HEADER_BYTES
 *     HEADER_BYTES      the Deno binary
 *     …                 main.js and server_worker.js, the bundles
 *
 * The kernel runs the script; it ends with an `exec` and never reads what follows as shell.
 */
import { createHash } from "node:crypto";
import { startEnvironment, startFlags, VERSION } from "./start_flags.ts";

const HEADER_BYTES = 8192;
const REPOSITORY = new URL("../", import.meta.url);
/** The name of the Deno binary in the cache: what `ps` shows. */
const RUNTIME = "chronogo";

/** The bundles: the program, and the Worker that it starts from beside itself. */
const BUNDLES = [
  { entry: "main.ts", name: "main.js" },
  { entry: "src/cli/server_worker.ts", name: "server_worker.js" },
];

interface Part {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Writes the executable. @throws Error when bundling fails */
export async function writeSelfExtracting(outputPath: string): Promise<void> {
  const parts: Part[] = [{ name: RUNTIME, bytes: await Deno.readFile(Deno.execPath()) }, ...await bundle()];
  const header = launcher(parts);
  // A new file under the name: one that runs keeps the old one.
  const newPath = `${outputPath}.${Deno.pid}.new`;
  const file = await Deno.open(newPath, { write: true, create: true, truncate: true, mode: 0o755 });
  try {
    for (const bytes of [header, ...parts.map((part) => part.bytes)]) await writeAll(file, bytes);
  } finally {
    file.close();
  }
  await Deno.rename(newPath, outputPath);
}

async function bundle(): Promise<Part[]> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bundle-" });
  try {
    const parts: Part[] = [];
    for (const { entry, name } of BUNDLES) {
      const path = `${folder}/${name}`;
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "bundle",
          "--quiet",
          "--frozen-lockfile",
          "--packages",
          "bundle",
          "--platform",
          "deno",
          "-o",
          path,
          entry,
        ],
        cwd: REPOSITORY,
        stdin: "null",
      }).output();
      if (!success) throw new Error(`cannot bundle ${entry}:\n${new TextDecoder().decode(stderr)}`);
      parts.push({ name, bytes: await Deno.readFile(path) });
    }
    return parts;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function launcher(parts: readonly Part[]): Uint8Array {
  let offset = 0;
  const content = createHash("sha256");
  const lines = parts.map(({ name, bytes }) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    content.update(`${name} ${sha256}\n`);
    const line = `${name} ${offset} ${bytes.length} ${sha256}`;
    offset += bytes.length;
    return line;
  });
  const values: Readonly<Record<string, string>> = {
    VERSION,
    HEADER_BYTES: String(HEADER_BYTES),
    CONTENT: `${VERSION}-${content.digest("hex").slice(0, 32)}`,
    FILES: lines.join("\n"),
    RUNTIME,
    ENVIRONMENT: Object.entries(startEnvironment()).map(([name, value]) => `${name}='${value}'`).join(" "),
    FLAGS: startFlags().map((flag) => `'${flag}'`).join(" "),
  };
  const script = Deno.readTextFileSync(new URL("launcher.sh", import.meta.url))
    .replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
  const header = new Uint8Array(HEADER_BYTES).fill("\n".charCodeAt(0));
  const bytes = new TextEncoder().encode(script);
  if (bytes.length > HEADER_BYTES) {
    throw new Error(`launcher.sh has ${bytes.length} bytes, at most ${HEADER_BYTES}`);
  }
  header.set(bytes);
  return header;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

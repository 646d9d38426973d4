/** The rules of DESIGN's rooms as functions from source files to violations, each one line that says what is wrong. */
import { type Import, importsOf, resolvePath, type SourceFile, withoutComments } from "./source_tree.ts";

/** Which rooms a room may import, low to high; `cli` wires them all. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  io: ["base"],
  bson: ["base"],
  column: ["base"],
  wire: ["base", "bson"],
  raft: ["base"],
  storage: ["base", "io", "bson", "column"],
  query: ["base", "bson", "column"],
  cluster: ["base", "io", "bson", "column", "raft", "storage", "query"],
  auth: ["base", "io", "bson", "cluster"],
  command: ["base", "io", "bson", "query", "cluster", "auth"],
  server: ["base", "io", "bson", "wire", "command"],
  http: ["base", "io", "bson", "command"],
  cli: [
    "base",
    "io",
    "bson",
    "column",
    "wire",
    "raft",
    "storage",
    "query",
    "cluster",
    "auth",
    "command",
    "server",
    "http",
  ],
};

/** Rooms that know time, but neither files nor sockets, and all that they may take from `io`. */
const CLOCK_ONLY_ROOMS = ["auth", "command"];
const CLOCK_NAMES = ["Clock", "SimulatedClock", "SystemClock"];

/** Rooms in which the platform may be called by name. */
const PLATFORM_ROOMS = ["io", "cli"];
/** Node's doors to the platform, and who may use them: a door of `Deno.` by another name. */
const PLATFORM_MODULES: Readonly<Record<string, readonly string[]>> = {
  "node:fs": PLATFORM_ROOMS,
  "node:fs/promises": PLATFORM_ROOMS,
  "node:net": PLATFORM_ROOMS,
  "node:tls": PLATFORM_ROOMS,
  "node:http": PLATFORM_ROOMS,
  "node:os": PLATFORM_ROOMS,
  "node:process": PLATFORM_ROOMS,
  "node:child_process": PLATFORM_ROOMS,
  "node:worker_threads": PLATFORM_ROOMS,
  "node:sqlite": ["storage"],
};

export const MAX_FILE_LINES = 600;

/** The room of a path below `src/`, such as `query` of `src/query/plan/mod.ts`. */
function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function isTest(path: string): boolean {
  return /_(test|bench)\.ts$/.test(path);
}

/** Rooms import only the rooms below that the table names, and only through their doors. */
export function importViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    if (room === undefined) return [];
    if (ROOMS[room] === undefined) return [`${file.path}: "${room}" is no room of the design`];
    return importsOf(file.text).flatMap((found) => {
      const reason = reasonAgainst(file.path, room, found);
      return reason === undefined ? [] : [`${file.path}: ${reason}`];
    });
  });
}

function reasonAgainst(path: string, room: string, found: Import): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) return "imports a computed name";
  if (!specifier.startsWith(".")) return reasonAgainstPackage(path, room, specifier);
  const target = resolvePath(path, specifier);
  const targetRoom = roomOf(target);
  if (targetRoom === room) return undefined;
  if (targetRoom === undefined) return reasonAgainstOutside(path, room, target);
  if (!ROOMS[room]?.includes(targetRoom)) return `${room} must not import ${targetRoom} (${specifier})`;
  if (target !== `src/${targetRoom}/mod.ts`) {
    return `${targetRoom} is entered through its mod.ts only (${specifier})`;
  }
  if (targetRoom === "io" && CLOCK_ONLY_ROOMS.includes(room) && !isTest(path)) {
    return reasonAgainstNames(room, found);
  }
  return undefined;
}

function reasonAgainstPackage(path: string, room: string, specifier: string): string | undefined {
  if (/^(npm|jsr|https?|file|data):/.test(specifier)) {
    return `packages are named in deno.json, not here (${specifier})`;
  }
  const allowed = PLATFORM_MODULES[specifier];
  if (allowed === undefined || allowed.includes(room) || isTest(path)) return undefined;
  return `only ${allowed.join(" and ")} may import ${specifier}`;
}

function reasonAgainstOutside(path: string, room: string, target: string): string | undefined {
  if (isTest(path) && target.startsWith("tests/")) return undefined;
  if (room === "cli" && target === "deno.json") return undefined;
  return `${room} must not import what lies outside the rooms (${target})`;
}

function reasonAgainstNames(room: string, found: Import): string | undefined {
  const wrong = found.names.filter((name) => !CLOCK_NAMES.includes(name));
  if (found.names.length > 0 && wrong.length === 0) return undefined;
  return `${room} may know io's clock only, not ${wrong.join(", ") || "all of it"}`;
}

/** Only `io` and `cli` call the platform by its name. */
export function platformViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const room = roomOf(path);
    if (room === undefined || PLATFORM_ROOMS.includes(room) || isTest(path)) return [];
    return withoutComments(text).split("\n").flatMap((line, index) =>
      /\bDeno\b/.test(line) ? [`${path}:${index + 1}: only ${PLATFORM_ROOMS.join(" and ")} may use Deno`] : []
    );
  });
}

/** Files that import each other in a circle, by value. */
export function cycleViolations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const targets = new Map(files.map((file) => [
    file.path,
    importsOf(file.text)
      .filter((found) => !found.typeOnly && found.specifier?.startsWith(".") === true)
      .map((found) => resolvePath(file.path, found.specifier ?? ""))
      .filter((target) => known.has(target)),
  ]));
  const done = new Set<string>();
  const violations: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    const start = way.indexOf(path);
    if (start >= 0) violations.push(`import cycle: ${[...way.slice(start), path].join(" → ")}`);
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of known) visit(path, []);
  return violations;
}

/** Files that grew past what a reader keeps in mind. */
export function lengthViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n").length;
    return lines > MAX_FILE_LINES ? [`${path}: ${lines} lines, at most ${MAX_FILE_LINES}`] : [];
  });
}

/** What no file of the project may hold. The patterns are put together so that they do not find themselves. */
const FORBIDDEN: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`),
    what: "an unfinished place",
  },
  {
    pattern: new RegExp(`(^|[\\s"'\`(=:])/(${["wo" + "rk", "ro" + "ot", "Us" + "ers"].join("|")})/`),
    what: "a machine's path",
  },
  {
    pattern: new RegExp(
      ["registry\\.npm" + "js", "registry\\.yarn" + "pkg", "python" + "hosted", "py" + "pi\\." + "org"].join(
        "|",
      ),
    ),
    what: "a registry's address",
  },
];

/** Unfinished places, and traces of the machine a file was written on. */
export function textViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) =>
      FORBIDDEN.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${path}:${index + 1}: ${what}`)
    )
  );
}

/** The project's own text files, and what each imports. */

/** A source file: its path from the repository's root, with `/`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import, export-from, dynamic import or import type. */
export interface Import {
  /** As written: `./foo.ts`, `../base/mod.ts`, `node:fs`, `bson`; undefined for a computed one. */
  readonly specifier: string | undefined;
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** The names between the braces, `type` and `as` taken off; empty for other forms. */
  readonly names: readonly string[];
}

// The formatter puts statements at the start of a line, and comments and strings never begin with these words there.
const STATIC = /^(?<keyword>import|export)\s+(?<clause>[^;"'`]*?)\bfrom\s*["'](?<specifier>[^"']+)["']/gm;
const SIDE_EFFECT = /^import\s*["'](?<specifier>[^"']+)["']/gm;
const DYNAMIC = /\bimport\s*\(\s*(?:["'](?<specifier>[^"']+)["']\s*[,)])?/g;

/** All imports of a TypeScript text, comments left out. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  return [
    ...Array.from(
      code.matchAll(STATIC),
      ({ groups }) => staticImport(groups?.["clause"] ?? "", groups?.["specifier"]),
    ),
    ...Array.from(code.matchAll(SIDE_EFFECT), ({ groups }) => plainImport(groups?.["specifier"])),
    ...Array.from(code.matchAll(DYNAMIC), ({ groups }) => plainImport(groups?.["specifier"])),
  ];
}

function plainImport(specifier: string | undefined): Import {
  return { specifier, typeOnly: false, names: [] };
}

function staticImport(clause: string, specifier: string | undefined): Import {
  const braces = /\{(?<inside>[^}]*)\}/.exec(clause)?.groups?.["inside"];
  const parts = (braces ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  const allTyped = parts.length > 0 && parts.every((part) => part.startsWith("type "));
  const outsideBraces = clause.replace(/\{[^}]*\}/, "").trim();
  return {
    specifier,
    typeOnly: /^type\b/.test(clause) || (allTyped && outsideBraces === ""),
    names: parts.map((part) => part.replace(/^type\s+/, "").replace(/\s+as\s.*$/, "")),
  };
}

/** The text without comments. Line breaks stay. A `//` inside an address (`http://`) is none. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** The path that a relative specifier of a file means. */
export function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

const NOT_OURS = [".git", "data", "dist", "node_modules", ".installed"];

/** All files below a folder that end with one of the extensions, sorted by path. */
export function readTree(root: URL, extensions: readonly string[], path = ""): SourceFile[] {
  const entries = [...Deno.readDirSync(new URL(path, root))].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap((entry): SourceFile[] => {
    const child = `${path}${entry.name}`;
    if (entry.isDirectory) {
      return NOT_OURS.includes(entry.name) ? [] : readTree(root, extensions, `${child}/`);
    }
    if (!entry.isFile || !extensions.some((extension) => entry.name.endsWith(extension))) return [];
    return [{ path: child, text: Deno.readTextFileSync(new URL(child, root)) }];
  });
}

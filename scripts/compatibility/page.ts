/**
 * Fills docs/compatibility.md: what stands between `<!-- id: generated -->` and `<!-- /id -->` is made anew, all else on the page is
 * written by hand.
 */
import { assert } from "../../src/base/mod.ts";
import { type IntendedDifference, intendedDifferences } from "./differences.ts";
import { OWN } from "./own.ts";
import { type Entry, families, type Family } from "./support.ts";

export const PAGE = new URL("../../docs/compatibility.md", import.meta.url);

/** Cases of one difference that are named; the others are counted. */
const NAMED_CASES = 3;

/** @returns the page with its generated parts made anew, formatted */
export async function compatibilityPage(page: string): Promise<string> {
  const all = families();
  const parts: readonly (readonly [string, string])[] = [
    ["summary", summary(all)],
    ...all.map((family) => [family.id, familyText(family)] as const),
    ["own", ownText()],
    ["differences", differencesText(intendedDifferences())],
  ];
  return await formatted(parts.reduce((text, [id, part]) => replacePart(text, id, part), page));
}

function replacePart(page: string, id: string, text: string): string {
  const start = `<!-- ${id}: generated -->`;
  const end = `<!-- /${id} -->`;
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  assert(from >= 0 && to > from, `docs/compatibility.md has no part "${id}"`);
  return page.slice(0, from + start.length) + `\n\n${text}\n\n` + page.slice(to);
}

function summary(all: readonly Family[]): string {
  return table(
    ["", "yes", "partly", "no"],
    all.map((family) => {
      const { yes, partly, no } = sorted(family);
      return [family.title, yes.length, partly.length, no.length].map(String);
    }),
  );
}

function sorted({ entries }: Family): Record<"yes" | "partly" | "no", readonly Entry[]> {
  const here = entries.filter(({ refusal }) => refusal === undefined);
  return {
    yes: here.filter(({ lacks }) => lacks.length === 0),
    partly: here.filter(({ lacks }) => lacks.length > 0),
    no: entries.filter(({ refusal }) => refusal !== undefined),
  };
}

function familyText(family: Family): string {
  const { yes, partly, no } = sorted(family);
  return [
    `Yes: ${yes.map(nameOf).join(", ")}.`,
    partly.length === 0 ? "" : table(
      ["partly", "what is missing"],
      partly.map((entry) => [nameOf(entry), entry.lacks.map(({ what }) => what).join("; ")]),
    ),
    noText(no),
  ].filter((text) => text !== "").join("\n\n");
}

/** What is refused, by the kind of error: most only name themselves in it. */
function noText(no: readonly Entry[]): string {
  const byError = Map.groupBy(no, ({ name, refusal }) => {
    return `${refusal!.codeName} (${refusal!.code}), “${refusal!.message.replace(name, "…")}”`;
  });
  return [...byError].map(([error, entries]) => `No, with ${error}: ${entries.map(nameOf).join(", ")}.`)
    .join("\n\n");
}

function nameOf({ name, aliases }: Entry): string {
  const also = aliases.length === 0 ? "" : ` (also ${aliases.map((alias) => `\`${alias}\``).join(", ")})`;
  return `\`${name}\`${also}`;
}

function ownText(): string {
  return table(
    ["", "does", "page"],
    Object.entries(OWN).map((
      [name, { does, page }],
    ) => [`\`${name}\``, does, `[${page.split("/").at(-1)}](${page}.md)`]),
  );
}

function differencesText(differences: readonly IntendedDifference[]): string {
  return table(
    ["topic", "why ChronoGo answers otherwise", "cases"],
    differences.map(({ topic, reason, cases }) => {
      const more = cases.length > NAMED_CASES ? `; ${cases.length - NAMED_CASES} more` : "";
      return [topic, reason, cases.slice(0, NAMED_CASES).map(code).join("; ") + more];
    }),
  );
}

/** Text as code in a cell of a table. */
function code(text: string): string {
  return "`" + text.replaceAll("|", "\\|") + "`";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../..", import.meta.url).pathname,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await child.output();
  assert(success, "deno fmt refused docs/compatibility.md");
  return new TextDecoder().decode(stdout);
}

/** The README against the program: its table of options, its commands. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { OPTION_LIST, variableOf } from "../../src/cli/options.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));

Deno.test("the README lists every option with its variable and its default", () => {
  for (const option of OPTION_LIST) {
    if (option.flagOnly === true) {
      assert.ok(README.includes(`\`--${option.name}\``), option.name);
      continue;
    }
    const row = README.split("\n").find((line) => line.startsWith(`| \`--${option.name}`)) ?? "";
    assert.ok(row.includes(`\`${variableOf(option.name)}\``), option.name);
    if (option.defaultText !== undefined) assert.ok(row.includes(`\`${option.defaultText}\``), option.name);
  }
  const rows = README.match(/^\| `--/gm)?.length;
  assert.equal(rows, OPTION_LIST.length - 1, "no option that is gone; --version and --help share a row");
});

Deno.test("the README's tasks exist, and all tasks but the tools are in it", () => {
  const named = new Set(Array.from(README.matchAll(/deno@2\.9\.6 task ([\w:]*\w)/g), ([, name]) => name));
  assert.deepEqual([...named].sort(), Object.keys(manifest.tasks).sort());
});

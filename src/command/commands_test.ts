import assert from "node:assert/strict";
import { COMMANDS, findCommand } from "./commands.ts";
import { MISSING_COMMANDS } from "./missing_commands.ts";

Deno.test("the table of commands is sorted, and no command is both there and missing", () => {
  const names = COMMANDS.map(({ name }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual([...MISSING_COMMANDS], [...MISSING_COMMANDS].sort());
  assert.deepEqual([...MISSING_COMMANDS].filter((name) => findCommand(name) !== undefined), []);
});

Deno.test("commands are found by every spelling that MongoDB has, and by no other", () => {
  for (
    const name of [
      "isMaster",
      "ismaster",
      "buildInfo",
      "buildinfo",
      "dbStats",
      "dbstats",
      "collstats",
      "find",
    ]
  ) {
    assert.ok(findCommand(name), name);
  }
  for (const name of ["FIND", "", "toString", "constructor", "__proto__"]) {
    assert.equal(findCommand(name), undefined, name);
  }
});

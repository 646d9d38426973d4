import assert from "node:assert/strict";
import { START_PARAMETERS } from "../base/mod.ts";
import { PARAMETERS } from "./parameters.ts";

Deno.test("what can change while the server runs can be set at its start", () => {
  const changeable = Object.keys(PARAMETERS).filter((name) => PARAMETERS[name]?.change !== undefined);
  assert.deepEqual(START_PARAMETERS.toSorted(), ["enableTestCommands", ...changeable].sort());
});

/** `chronogo check` on a data folder that no server runs on. */
import assert from "node:assert/strict";
import { startCommand } from "./server_process.ts";

/** @throws AssertionError with all that it printed when it finds a problem */
export async function checkFolder(dataDir: string, when: string): Promise<void> {
  const [program = "", ...args] = startCommand();
  const output = await new Deno.Command(program, { args: [...args, "check", dataDir] }).output();
  const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
  assert.equal(output.code, 0, `${when}: chronogo check:\n${text}`);
}

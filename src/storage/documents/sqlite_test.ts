import assert from "node:assert/strict";
import { openForWriting } from "./sqlite.ts";

Deno.test("a file that may only be read is refused when it is opened, not at the first write", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/documents.sqlite`;
    openForWriting(path).close();
    // Rights bind everybody but the superuser, who may run this.
    assert.throws(() => openForWriting(`file:${path}?mode=ro`), {
      name: "CommandError",
      message: /^cannot write "file:.*", its rights or those of its folder forbid it: /,
    });
    openForWriting(path).close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** docs/compatibility.md says what is so: made of today's registries, and what it calls missing is refused by a server. */
import { deepStrictEqual } from "node:assert/strict";
import { compatibilityPage, PAGE } from "../../scripts/compatibility/page.ts";
import { COMMANDS_PARTLY, STAGES_PARTLY } from "../../scripts/compatibility/partly.ts";
import { families } from "../../scripts/compatibility/support.ts";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";

const DATABASE = "compatibility";
const PARTLY = { ...COMMANDS_PARTLY, ...STAGES_PARTLY };

Deno.test("the page is the one that `deno task docs` makes", async () => {
  const page = Deno.readTextFileSync(PAGE);
  deepStrictEqual((await compatibilityPage(page)).split("\n"), page.split("\n"));
});

Deno.test("no name is both there and missing, or listed twice", () => {
  for (const { title, entries } of families()) {
    const names = entries.flatMap(({ name, aliases }) => [name, ...aliases]);
    deepStrictEqual(names.filter((name, i) => names.indexOf(name) !== i), [], title);
  }
});

Deno.test("what is there in part is a name that there is", () => {
  const lacking = families().flatMap(({ entries }) => entries.filter(({ lacks }) => lacks.length > 0));
  deepStrictEqual(lacking.map(({ name }) => name).sort(), Object.keys(PARTLY).sort());
});

Deno.test("what is missing in part is refused by a server", async () => {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  try {
    await client.must({ create: "c", $db: DATABASE });
    for (const [name, lacks] of Object.entries(PARTLY)) {
      for (const command of lacks.flatMap(({ refused }) => refused)) {
        const reply = await client.command({ ...command, $db: command["$db"] ?? DATABASE });
        const error = reply["writeErrors"]?.[0] ?? reply["cursor"]?.["firstBatch"]?.[0] ?? reply;
        deepStrictEqual(Number(error["code"]), 238, `${name}: ${JSON.stringify(command)} is answered now`);
      }
    }
  } finally {
    client.close();
  }
});

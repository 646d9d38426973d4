/** `deno task docs`: makes the generated parts of docs/compatibility.md anew, from the registries and the oracle's cases. */
import { compatibilityPage, PAGE } from "./compatibility/page.ts";

await Deno.writeTextFile(PAGE, await compatibilityPage(await Deno.readTextFile(PAGE)));

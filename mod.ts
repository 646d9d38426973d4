/**
 * ChronoGo for a Deno program that embeds it:
 *
 *     import { openServer } from "./mod.ts";
 *     const server = await openServer({ dataDir: "./data" });
 *     // any MongoDB driver connects to server.uri
 *     await server.close();
 *
 * @module
 */
export { type EmbeddedServer, type EmbedOptions, openServer } from "./src/cli/mod.ts";

/** The listener of MongoDB's protocol: connections, their order and their limits. */
export { MongoServer, type ServerOptions } from "./server.ts";

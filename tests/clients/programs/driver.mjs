/** The official Node driver, from the folder that the variable CLIENTS names; and a frame for programs that use it. */
import { createRequire } from "node:module";
import process from "node:process";

const driver = createRequire(process.env.CLIENTS)("mongodb");

export const { MongoClient, MongoBulkWriteError, MongoServerError, BSON } = driver;

/** Runs `body` with a client of the server that the first argument names. */
export async function withClient(body, options = {}) {
  const client = new MongoClient(process.argv[2], { serverSelectionTimeoutMS: 10_000, ...options });
  try {
    await body(client);
  } finally {
    await client.close();
  }
}

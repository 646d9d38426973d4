/** The Node driver, from the folder that the variable CLIENTS names. */
import { createRequire } from "node:module";

const require = createRequire(process.env.CLIENTS);
export const driver = require("mongodb");
export const { EJSON } = driver.BSON;

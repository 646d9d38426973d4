/** Arguments as tests write them, to those that the driver takes. */
import { driver } from "./driver.mjs";

const { ReadConcern, ReadPreference, WriteConcern } = driver;

/** Options of an operation, with its session and its concerns as the driver has them. */
export function toOptions({ session, ...rest }, entities) {
  const options = withConcerns(rest);
  if (session !== undefined) options.session = entities.session(session);
  if (typeof options.returnDocument === "string") {
    options.returnDocument = options.returnDocument.toLowerCase();
  }
  return options;
}

/** The same options with concerns and read preference as the driver has them. */
export function withConcerns({ readConcern, writeConcern, readPreference, ...rest }) {
  const options = { ...rest };
  if (readConcern !== undefined) options.readConcern = new ReadConcern(readConcern.level);
  if (writeConcern !== undefined) {
    const { w, journal, wtimeoutMS } = writeConcern;
    options.writeConcern = new WriteConcern(w, wtimeoutMS, journal);
  }
  if (readPreference !== undefined) {
    const { mode, tagSets, ...more } = readPreference;
    options.readPreference = new ReadPreference(mode, tagSets, more);
  }
  return options;
}

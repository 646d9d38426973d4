/** `changeStreamPreAndPostImages`, an option of plain collections: whether the log keeps documents as they were before a change. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, type Document, RawDocument } from "../bson/mod.ts";
import { Arguments, checkFields } from "./arguments.ts";

export const IMAGES_OPTION = "changeStreamPreAndPostImages";

/**
 * Whether a command turns the images on or off; undefined where it does not say.
 *
 * @param owner how errors name the command
 * @throws CommandError
 */
export function parseImagesOption(args: Arguments, owner: string, db: string): boolean | undefined {
  const option = args.get(IMAGES_OPTION);
  if (!(option instanceof RawDocument)) return undefined;
  const fields = new Arguments(option);
  checkFields(fields, `${owner}.${IMAGES_OPTION}`, { enabled: "bool!" });
  if (db === "admin" || db === "config" || db === "local") {
    throw new CommandError(
      "InvalidOptions",
      `${IMAGES_OPTION} collection option is not supported on the ${db} database`,
    );
  }
  return fields.get("enabled") === true;
}

/** The option as collections have it: only where images are kept. */
export function shownImages(isEnabled: boolean): Document | undefined {
  return isEnabled ? BuiltDocument.of({ enabled: true }) : undefined;
}

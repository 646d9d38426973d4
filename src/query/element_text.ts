/** A field as MongoDB's error messages show it: `$limit: "x"`. */
import { BuiltDocument, type Value } from "../bson/mod.ts";
import { renderDocument } from "./expression/message.ts";

/** `name: value`, the value as BSON prints itself. */
export function elementText(name: string, value: Value): string {
  return renderDocument(new BuiltDocument([name], [value])).slice(2, -2);
}

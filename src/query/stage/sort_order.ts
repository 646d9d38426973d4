/** What a sort's specification says of one of its fields: a direction, or what to sort by in its place. */
import { CommandError } from "../../base/mod.ts";
import { Document, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { toDouble } from "../filter/argument.ts";

/** @throws CommandError for what is neither a direction nor `{ $meta: "randVal" }` */
export function parseSortOrder(name: string, value: Value): 1 | -1 | "randVal" {
  if (value instanceof Document) return parseSortMeta(value);
  if (!isNumber(value)) {
    throw new CommandError(15974, `Illegal key in $sort specification: ${elementText(name, value)}`);
  }
  const direction = Math.trunc(toDouble(value));
  if (direction === 1 || direction === -1) return direction;
  throw new CommandError(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
}

function parseSortMeta(value: Document): "randVal" {
  if (value.names()[0] !== "$meta") {
    throw new CommandError(17312, "$meta is the only expression supported by $sort right now");
  }
  if (value.names().length > 1) {
    throw new CommandError("FailedToParse", "Cannot have additional keys in a $meta sort specification");
  }
  const meta = value.get("$meta");
  switch (meta) {
    case "randVal":
      return meta;
    case "geoNearDistance":
      throw new CommandError(40218, "query requires $geoNear distance metadata, but it is not available");
    case "textScore":
      throw new CommandError(40218, "query requires text score metadata, but it is not available");
    case "searchScore":
      throw new CommandError(31218, "$meta sort by 'searchScore' metadata is not supported");
    case "searchHighlights":
      throw new CommandError(31219, "$meta sort by 'searchHighlights' metadata is not supported");
    default:
      throw new CommandError(31138, `Illegal $meta sort: ${elementText("$meta", meta)}`);
  }
}

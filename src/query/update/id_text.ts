/** The document that an update fails on, as errors name it. */
import type { Document } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";

/** `_id: 1`; `no id` where there is none. */
export function idText(document: Document): string {
  const id = document.get("_id");
  return id === undefined ? "no id" : elementText("_id", id);
}

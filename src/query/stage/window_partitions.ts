/** The partitions that windows name in their `_id`: of those that are equal one document, so that they are compared once. */
import { BuiltDocument, type Document, type Value } from "../../bson/mod.ts";
import { ValueMap } from "../value_map.ts";

/** Partitions that are remembered; of others there is a document a window. */
const MOST_REMEMBERED = 10_000;

export class WindowPartitions {
  /** By name and text those of one text; others by value. */
  private readonly byText = new Map<string, Map<string, BuiltDocument>>();
  private readonly byValue = new ValueMap<BuiltDocument>();
  private remembered = 0;

  /** The fields of a window's `_id` behind its start; undefined where there are none. */
  of(id: Document): Value {
    const names = id.names();
    if (names.length === 1) return undefined;
    const [, name] = names;
    const text = names.length === 2 ? id.get(name!) : undefined;
    return typeof text === "string" ? this.ofText(name!, text) : this.ofValues(id);
  }

  private ofText(name: string, text: string): BuiltDocument {
    let texts = this.byText.get(name);
    if (texts === undefined) this.byText.set(name, texts = new Map());
    const known = texts.get(text);
    if (known !== undefined) return known;
    const made = new BuiltDocument([name], [text]);
    if (this.remembered++ < MOST_REMEMBERED) texts.set(text, made);
    return made;
  }

  private ofValues(id: Document): BuiltDocument {
    const made = new BuiltDocument(id.names().slice(1), id.values().slice(1));
    const known = this.byValue.get(made);
    if (known !== undefined) return known;
    if (this.remembered++ < MOST_REMEMBERED) this.byValue.set(made, made);
    return made;
  }
}

/**
 * Cases that are one text over many values:
 *
 *     "<accumulator> of <field> in <in>":
 *       each:
 *         accumulator: [$sum, $avg]               # a list: each value is its own label
 *         field: { mixed numbers: $v, nulls: $n } # a map: the label that stands in the case's name, and the value
 *         in: [plain, series]
 *       run: { aggregate: <in>, pipeline: [{ $group: { _id: null, o: { <accumulator>: <field> } } }], cursor: {} }
 *
 * stands for all combinations. `<name>` within a longer text, or in a key, must be a text; alone it may be any value.
 */
import { EJSON } from "bson";
import { assert } from "../../src/base/mod.ts";
import { isPlainObject } from "./yaml_bson.ts";

interface Choice {
  readonly label: string;
  readonly value: unknown;
}
type Choices = ReadonlyMap<string, Choice>;

/** The cases that a template stands for, by name, without its `each`. @throws when it is malformed */
export function expandTemplate(name: string, template: Record<string, unknown>): [string, unknown][] {
  const { each, ...text } = template;
  assert(isPlainObject(each), `${name}: "each" is no map`);
  return combinations(name, Object.entries(each)).map((choices) => [
    filledText(name, choices, ({ label }) => label),
    filled(text, choices),
  ]);
}

function combinations(place: string, axes: readonly [string, unknown][]): readonly Choices[] {
  return axes.reduce<readonly Choices[]>(
    (before, [axis, values]) =>
      before.flatMap((choices) =>
        choicesOf(place, values).map((choice) => new Map([...choices, [axis, choice]]))
      ),
    [new Map()],
  );
}

function choicesOf(place: string, values: unknown): readonly Choice[] {
  if (isPlainObject(values)) return Object.entries(values).map(([label, value]) => ({ label, value }));
  assert(Array.isArray(values), `${place}: the choices of "each" are a list or a map`);
  return values.map((value) => ({ label: labelOf(value), value }));
}

function labelOf(value: unknown): string {
  return typeof value === "string" ? value : EJSON.stringify({ value }, { relaxed: false }).slice(9, -1);
}

function filled(value: unknown, choices: Choices): unknown {
  if (typeof value === "string") {
    const alone = choices.get(/^<(\w+)>$/.exec(value)?.[1] ?? "");
    return alone === undefined ? filledText(value, choices, textOf) : alone.value;
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, choices));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [key, item],
    ) => [filledText(key, choices, textOf), filled(item, choices)]),
  );
}

function filledText(text: string, choices: Choices, show: (choice: Choice) => string): string {
  return text.replace(/<(\w+)>/g, (whole, name) => {
    const choice = choices.get(name);
    return choice === undefined ? whole : show(choice);
  });
}

function textOf({ label, value }: Choice): string {
  assert(typeof value === "string", `${label} stands within a text and is none`);
  return value;
}

/**
 * A fail point: a named place in the server that a test may arm, so that what passes there fails. It is armed for ever, for
 * a number of times, after a number of times, or by chance.
 *
 *     { configureFailPoint: name, mode: "off" | "alwaysOn" | {times: n} | {skip: n} | {activationProbability: p}, data }
 */
import { CommandError, type Random } from "../base/mod.ts";
import { aliasOfType, BuiltDocument, Document, isNumber, typeOf, type Value } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";

/** When an armed place fails. `left` counts down. */
type Mode =
  | { readonly kind: "off" | "alwaysOn" }
  | { readonly kind: "times" | "skip"; left: number }
  | { readonly kind: "random"; readonly probability: number };

const OFF: Mode = { kind: "off" };
const MODES =
  "'mode' must be one of 'off', 'alwaysOn', '{times:n}', '{skip:n}' or '{activationProbability:p}'";
const MAX_INT32 = 2 ** 31 - 1;

export class FailPoint {
  private mode = OFF;
  private data: Document = BuiltDocument.EMPTY;
  private entered = 0;

  constructor(private readonly random: Random) {}

  /** How often it made something fail, since the server started. */
  get timesEntered(): number {
    return this.entered;
  }

  /** @throws CommandError when the mode or the data is none; nothing is changed then */
  configure(mode: Value, data: Value): void {
    const parsed = parseMode(mode);
    if (data !== undefined && !(data instanceof Document)) {
      throw new CommandError("TypeMismatch", "the 'data' option must be a JSON object");
    }
    this.mode = parsed;
    this.data = data ?? BuiltDocument.EMPTY;
  }

  /** The data when something that the data names has to fail now; only what it names counts. */
  enterIf(isNamed: (data: Document) => boolean): Document | undefined {
    if (this.mode.kind === "off" || !isNamed(this.data) || !this.isDue()) return undefined;
    this.entered++;
    return this.data;
  }

  private isDue(): boolean {
    const { mode } = this;
    switch (mode.kind) {
      case "off":
        return false;
      case "alwaysOn":
        return true;
      case "times":
        if (--mode.left <= 0) this.mode = OFF;
        return true;
      case "skip":
        return mode.left === 0 || --mode.left < 0;
      case "random":
        return this.random() < mode.probability;
    }
  }
}

function parseMode(value: Value): Mode {
  if (value === undefined) {
    throw new CommandError("IllegalOperation", "When setting a failpoint, you must supply a 'mode'");
  }
  if (typeof value === "string") {
    if (value === "off" || value === "alwaysOn") return { kind: value };
    throw new CommandError("BadValue", `unknown mode: ${value}`);
  }
  if (!(value instanceof Document)) {
    throw new CommandError("TypeMismatch", "'mode' must be a string or JSON object");
  }
  if (value.get("times") !== undefined) return { kind: "times", left: countOf("times", value.get("times")) };
  if (value.get("skip") !== undefined) return { kind: "skip", left: countOf("skip", value.get("skip")) };
  const probability = value.get("activationProbability");
  if (probability === undefined) throw new CommandError("BadValue", MODES);
  return { kind: "random", probability: probabilityOf(probability) };
}

function countOf(name: string, value: Value): number {
  const count = numericOf(name, value);
  if (!Number.isInteger(count)) {
    throw new CommandError(
      "BadValue",
      `Expected field "${name}" to have a value exactly representable as a 64-bit integer, but found ${name}: ${count}`,
    );
  }
  if (count < 0) throw new CommandError("BadValue", `'${name}' option to 'mode' must be positive`);
  if (count > MAX_INT32) throw new CommandError("BadValue", `'${name}' option to 'mode' is too large`);
  return count;
}

function probabilityOf(value: Value): number {
  const probability = numericOf("activationProbability", value);
  if (probability >= 0 && probability <= 1) return probability;
  throw new CommandError(
    "BadValue",
    `activationProbability must be between 0.0 and 1.0; found ${probability}`,
  );
}

function numericOf(name: string, value: Value): number {
  if (isNumber(value)) return numberOf(value);
  throw new CommandError(
    "TypeMismatch",
    `Expected field "${name}" to have numeric type, but found ${aliasOfType(typeOf(value))}`,
  );
}

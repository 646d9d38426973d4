/** `--set-parameter NAME=VALUE,…`: server parameters that hold from the start on. */
import { START_PARAMETERS } from "../base/mod.ts";
import { usageError } from "./start_error.ts";

/** Values of server parameters by their names: numbers and truths. */
export type StartParameters = Readonly<Record<string, number | boolean>>;

/** @throws StartError where a name is none that can be set at the start, or a value is no number and no truth */
export function parseStartParameters(text: string): StartParameters {
  return Object.fromEntries(text.split(",").map((part) => parseOne(part.trim())));
}

function parseOne(text: string): readonly [string, number | boolean] {
  const [, name, value] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError("expected NAME=VALUE, such as ttlMonitorSleepSecs=10; several with commas between");
  }
  if (!START_PARAMETERS.includes(name)) {
    throw usageError(`there is no parameter ${name} that can be set at the start`);
  }
  return [name, parseValue(name, value)];
}

function parseValue(name: string, text: string): number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  if (Number.isFinite(number)) return number;
  throw usageError(`expected a number, true or false for ${name}`);
}

/**
 * The config file: one flat map from option names to values, in YAML or (a subset of it) JSON.
 *
 *     data-dir: /var/lib/chronogo
 *     mongo-addr: 127.0.0.1:27017
 *     mnode-list: [10.0.0.1:27018, 10.0.0.2:27018]
 */
import { loadAll, YAMLException } from "js-yaml";
import { findOption, nearestName, OPTION_LIST, type OptionName } from "./options.ts";
import { StartError, usageError } from "./start_error.ts";

/**
 * Reads the text of a config file into option values, as text.
 *
 * @param path what to call the file in an error
 * @throws StartError with exit code 1 for a malformed file, 2 for a wrong name or value in it
 */
export function parseConfig(path: string, text: string): Map<OptionName, string> {
  const parsed = parseText(path, text);
  const values = new Map<OptionName, string>();
  if (parsed === null || parsed === undefined) return values;
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new StartError(`config file ${path}: expected a map of options, such as "data-dir: ./data"`);
  }
  for (const [key, value] of Object.entries(parsed)) {
    const option = findOption(key);
    if (option === undefined || option.flagOnly === true || option.name === "config") {
      throw usageError(`config file ${path}: unknown option "${key}"${suggestion(key)}`);
    }
    values.set(option.name, valueText(path, key, value));
  }
  return values;
}

function parseText(path: string, text: string): unknown {
  try {
    const [first, second] = loadAll(text);
    if (second === undefined) return first;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const firstLine = error.message.split("\n", 1)[0];
    throw new StartError(`config file ${path} is neither YAML nor JSON: ${firstLine}`);
  }
  throw new StartError(`config file ${path}: expected one document, found several`);
}

function suggestion(key: string): string {
  const known = OPTION_LIST.filter((option) => option.flagOnly !== true && option.name !== "config");
  const nearest = nearestName(key, known.map((option) => option.name));
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}

function valueText(path: string, key: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(",");
  throw usageError(`config file ${path}: "${key}" must be one value, or a list of texts`);
}

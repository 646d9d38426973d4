/** The validator of a collection with its level and its action, as `create` and `collMod` take them. */
import { CommandError } from "../base/mod.ts";
import type { Collation, Document } from "../bson/mod.ts";
import { INTERNAL_DATABASES, Validator } from "../query/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import type { Arguments } from "./arguments.ts";
import { withOptions } from "./collection_options.ts";

const LEVELS: readonly string[] = ["off", "strict", "moderate"];
const ACTIONS: readonly string[] = ["error", "warn"];

/** What is given of the three. */
export interface ValidationOptions {
  /** Empty to have none. */
  readonly validator: Document | undefined;
  readonly validationLevel: string | undefined;
  readonly validationAction: string | undefined;
}

/** @param owner how errors name the command @throws CommandError when a level or an action is none */
export function readValidation(args: Arguments, owner: string): ValidationOptions {
  return {
    validator: args.document("validator"),
    validationLevel: choiceOf(args, owner, "validationLevel", LEVELS),
    validationAction: choiceOf(args, owner, "validationAction", ACTIONS),
  };
}

function choiceOf(
  args: Arguments,
  owner: string,
  name: string,
  choices: readonly string[],
): string | undefined {
  const value = args.string(name);
  if (value === undefined || choices.includes(value)) return value;
  throw new CommandError(
    "BadValue",
    `Enumeration value '${value}' for field '${owner}.${name}' is not a valid value.`,
  );
}

/** @throws CommandError when a collection cannot have that validator */
export function checkValidator(
  namespace: Namespace,
  { validator }: ValidationOptions,
  collation: Collation | undefined,
): void {
  if (validator === undefined || validator.isEmpty()) return;
  if (INTERNAL_DATABASES.has(namespace.db)) {
    throw new CommandError(
      "InvalidOptions",
      `Document validators are not allowed on collection ${
        namespaceText(namespace)
      } in the ${namespace.db} internal ` +
        "database",
    );
  }
  new Validator(validator, { variables: new Set(), ...(collation === undefined ? {} : { collation }) });
}

/** Those of a new collection. */
export function shownValidation(validation: ValidationOptions): ValidationOptions {
  return { ...validation, validator: shown(validation.validator) };
}

/** The options of a collection of which some are changed; unchanged where none is given. */
export function changedValidation(options: Document, change: ValidationOptions): Document {
  const { validator, validationLevel, validationAction } = change;
  if (validator === undefined && validationLevel === undefined && validationAction === undefined) {
    return options;
  }
  return withOptions(options, {
    validator: validator === undefined ? options.get("validator") : shown(validator),
    validationLevel: validationLevel ?? options.get("validationLevel") ?? "strict",
    validationAction: validationAction ?? options.get("validationAction") ?? "error",
  });
}

function shown(validator: Document | undefined): Document | undefined {
  return validator?.isEmpty() ? undefined : validator;
}

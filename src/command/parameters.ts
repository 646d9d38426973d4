/** The server parameters: the few of MongoDB's that say something true about ChronoGo, sorted by name. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Int32, isNumber, type Value } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";
import type { Services } from "./services.ts";
import { FEATURE_COMPATIBILITY_VERSION } from "./version.ts";

/** One parameter. */
export interface Parameter {
  readonly value: (services: Services) => Value;
  /** Absent when it cannot be changed while the server runs. */
  readonly change?: (services: Services, value: Value) => void;
}

export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  authenticationMechanisms: fixed([]),
  cursorTimeoutMillis: fixed(Int32.of(600_000)),
  enableTestCommands: { value: ({ testCommands }) => testCommands },
  featureCompatibilityVersion: fixed(BuiltDocument.of({ version: FEATURE_COMPATIBILITY_VERSION })),
  localLogicalSessionTimeoutMinutes: fixed(Int32.of(30)),
  logComponentVerbosity: fixed(BuiltDocument.of({ verbosity: Int32.of(0) })),
  logLevel: fixed(Int32.of(0)),
  maxBSONDepth: fixed(Int32.of(200)),
  requireApiVersion: fixed(false),
  transactionLifetimeLimitSeconds: {
    value: ({ router }) => Int32.of(router.transactionLifetimeMs() / 1000),
    change: ({ router }, value) =>
      void router.transactionLifetimeMs(
        secondsOf("transactionLifetimeLimitSeconds", value, "greater than or equal to 1") * 1000,
      ),
  },
  ttlMonitorEnabled: {
    value: ({ router }) => router.retention().isEnabled,
    change: ({ router }, value) => void router.retention({ isEnabled: flagOf(value) }),
  },
  ttlMonitorSleepSecs: {
    value: ({ router }) => Int32.of(router.retention().intervalMs / 1000),
    change: ({ router }, value) =>
      void router.retention({ intervalMs: secondsOf("ttlMonitorSleepSecs", value) * 1000 }),
  },
};

/**
 * Sets the parameters that the server was started with.
 *
 * @param parameters values by name; those that are for the start only are in `services` already
 * @throws CommandError where a parameter cannot have the value
 */
export function setStartParameters(
  services: Services,
  parameters: Readonly<Record<string, number | boolean>>,
): void {
  for (const [name, value] of Object.entries(parameters)) parameterNamed(name)?.change?.(services, value);
}

/** The parameter of that name, if there is one. */
export function parameterNamed(name: string): Parameter | undefined {
  return Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
}

function fixed(value: Value): Parameter {
  return { value: () => value };
}

function flagOf(value: Value): boolean {
  return isNumber(value) ? numberOf(value) !== 0 : value === true;
}

/**
 * @param least as MongoDB words it for this one
 * @throws CommandError BadValue unless it is a number of at least 1; fractions are cut off
 */
function secondsOf(name: string, value: Value, least = "greater than 0"): number {
  if (!isNumber(value)) {
    throw new CommandError("BadValue", `Failed validating ${name}: Unable to coerce value to integral type`);
  }
  const seconds = Math.trunc(numberOf(value));
  if (seconds > 0) return Math.min(seconds, MAX_SECONDS);
  throw new CommandError("BadValue", `Invalid value for parameter ${name}: ${seconds} is not ${least}`);
}

/** The most that a timer can wait. */
const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

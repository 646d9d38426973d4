/** What a test expects of an error of the driver. */
import { driver } from "./driver.mjs";
import { bulkResult, clientBulkResult } from "./entity_operations.mjs";
import { match, numberOf } from "./match.mjs";
import { expect } from "./outcome.mjs";

const {
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoError,
  MongoOperationTimeoutError,
  MongoServerError,
} = driver;

/** @throws Mismatch that names what differs */
export function checkError(expected, error, entities) {
  const inner = innermost(error);
  for (const [name, value] of Object.entries(expected)) {
    CHECKS[name](value, inner, entities, error);
  }
}

/** A client's bulk write wraps the error that ended it. */
function innermost(error) {
  return error instanceof MongoClientBulkWriteError && error.cause instanceof Error ? error.cause : error;
}

const CHECKS = {
  isError: () => {},
  isClientError: (wanted, error) => {
    const isClient = !(error instanceof MongoServerError) || isTimeout(error);
    expect(isClient === wanted, `${wanted ? "a client's" : "the server's"} error expected, got ${error}`);
  },
  isTimeoutError: (wanted, error) =>
    expect(isTimeout(error) === wanted, `${wanted ? "" : "no "}time-out expected, got ${error}`),
  errorContains: (text, error) => {
    const messages = [error.message, ...innerErrors(error).map(({ errmsg }) => errmsg ?? "")];
    expect(
      messages.some((message) => message.toLowerCase().includes(text.toLowerCase())),
      `"${text}" expected in ${messages.join(" | ")}`,
    );
  },
  errorCode: (code, error) =>
    expect(numberOf(error.code) === numberOf(code), `code ${code} expected, got ${error.code}`),
  errorCodeName: (codeName, error) => {
    const names = [
      error.codeName,
      error.errorResponse?.codeName,
      ...innerErrors(error).map((inner) => inner.codeName),
    ];
    expect(
      names.some((name) => name?.toLowerCase() === codeName.toLowerCase()),
      `${codeName} expected, got ${names.filter(Boolean).join(", ")}: ${error}`,
    );
  },
  errorLabelsContain: (labels, error, _entities, outer) => {
    const missing = labels.filter((label) => !hasLabel(error, label) && !hasLabel(outer, label));
    expect(missing.length === 0, `labels ${missing.join(", ")} are missing on ${error}`);
  },
  errorLabelsOmit: (labels, error) => {
    const found = labels.filter((label) => hasLabel(error, label));
    expect(found.length === 0, `labels ${found.join(", ")} were not expected on ${error}`);
  },
  errorResponse: (expected, error, entities) =>
    match(expected, error.errorResponse, entities, true, "error's response"),
  expectResult: (expected, _error, entities, outer) =>
    match(expected, resultOf(outer), entities, true, "error's result"),
  writeErrors: (expected, _error, entities, outer) => {
    const actual = Object.fromEntries(outer.writeErrors);
    expect(
      Object.keys(actual).join() === Object.keys(expected).join(),
      `write errors at ${Object.keys(actual)}`,
    );
    for (const [index, value] of Object.entries(expected)) {
      match(value, actual[index], entities, true, `error ${index}`);
    }
  },
  writeConcernErrors: (expected, _error, entities, outer) => {
    expect(
      outer.writeConcernErrors.length === expected.length,
      `${outer.writeConcernErrors.length} concern errors`,
    );
    expected.forEach((value, i) =>
      match(value, outer.writeConcernErrors[i], entities, true, `concern error ${i}`)
    );
  },
};

function isTimeout(error) {
  return error instanceof MongoOperationTimeoutError || error?.cause instanceof MongoOperationTimeoutError;
}

/** The errors of single writes and of the write concern, of which a bulk write's error is made. */
function innerErrors(error) {
  if (!(error instanceof MongoBulkWriteError)) return [];
  return [error.writeErrors ?? []].flat().concat(error.result?.getWriteConcernError() ?? []);
}

function hasLabel(error, label) {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

function resultOf(error) {
  if (error instanceof MongoClientBulkWriteError) return clientBulkResult(error.partialResult);
  return error instanceof MongoBulkWriteError ? bulkResult(error.result) : error.result;
}

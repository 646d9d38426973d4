/** An error of the write concern that stands beside what came of a command, be that a result or an error. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter, Document } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { labelsFor, tellsTopology } from "./error_labels.ts";
import { waitsForConcern } from "./write_concern.ts";

export interface ConcernFailure {
  readonly error: Document;
  /** The labels, where they are given. */
  readonly labels: readonly string[] | undefined;
  /** Whether it stands beside a result; undefined for one, or the code of an error. */
  readonly fits: (code: number | undefined) => boolean;
}

/** What a command asks for that one node cannot give. */
export function unmetFailure({ name }: Command, { args, generic }: CommandCall): ConcernFailure | undefined {
  const error = generic.unmetConcern;
  return error && { error, labels: undefined, fits: (code) => waitsForConcern(name, args, code) };
}

/** Appends the error, and `ok`, to the answer of a command that went well. */
export function writeOk(
  reply: BsonWriter,
  failure: ConcernFailure | undefined,
  { name }: Command,
  { args, state }: CommandCall,
): void {
  if (failure?.fits(undefined) !== true) return reply.value("ok", 1);
  const { error, labels } = failure;
  reply.value("writeConcernError", error);
  reply.value("ok", 1);
  const code = numberOf(error.get("code"));
  const written = labels ?? labelsFor(code, { name, args }, true);
  if (written.length > 0) reply.value("errorLabels", written);
  if (tellsTopology(code)) reply.value("topologyVersion", state.topology.version);
}

/** What a command threw, with the error of the write concern beside it. */
export function withConcernError(thrown: unknown, { error, labels, fits }: ConcernFailure): unknown {
  if (!(thrown instanceof CommandError) || !fits(thrown.code)) return thrown;
  const { code, message, errorLabels, extra } = thrown;
  const more = { ...extra, writeConcernError: error };
  return new CommandError(code, message, { errorLabels: labels ?? errorLabels, extra: more });
}

/**
 * The two kinds of error that are not our own mistake (for those: `assert`): what a client did wrong, and bytes that
 * are not what we wrote.
 */
import { ErrorCode, type ErrorCodeName } from "./error_codes.ts";

/** Numeric and named form of a MongoDB error, or the number alone for the anonymous ones ("Location40415"). */
export type ErrorCodeLike = ErrorCodeName | number;

/** What a client did wrong, in the words and with the number that MongoDB has for it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** MongoDB's number, such as 48. */
  readonly code: number;
  /** MongoDB's name for the number, such as `NamespaceExists`; `Location<code>` where it has none. */
  readonly codeName: string;
  /** Labels that drivers act on, such as `TransientTransactionError`. */
  readonly errorLabels: readonly string[];
  /** More fields of the reply, such as `keyPattern` of a duplicate key; plain values that `npm:bson` can encode. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Whether the labels are all that the error shall have, whatever its code is. */
  readonly labelsAreFinal: boolean;

  constructor(
    code: ErrorCodeLike,
    message: string,
    options: {
      errorLabels?: readonly string[];
      extra?: Readonly<Record<string, unknown>>;
      labelsAreFinal?: boolean;
    } = {},
  ) {
    super(message);
    this.code = typeof code === "number" ? code : ErrorCode[code];
    this.codeName = typeof code === "number" ? codeNameOf(code) : code;
    this.errorLabels = options.errorLabels ?? [];
    this.extra = options.extra ?? {};
    this.labelsAreFinal = options.labelsAreFinal ?? false;
  }
}

/** Bytes that are not what was written: a file is damaged, or is not one of ours. Never mended silently. */
export class CorruptionError extends Error {
  override readonly name = "CorruptionError";

  constructor(
    /** The file as the disk knows it. */
    readonly path: string,
    /** Where in the file, in bytes. */
    readonly offset: number,
    /** What was found and what was expected. */
    readonly reason: string,
  ) {
    super(`"${path}" is damaged at byte ${offset}: ${reason}`);
  }
}

const NAME_OF_CODE = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/** The name MongoDB gives an error code: `NamespaceExists` for 48, `Location40415` for an anonymous one. */
export function codeNameOf(code: number): string {
  return NAME_OF_CODE.get(code) ?? `Location${code}`;
}

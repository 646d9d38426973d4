/** What the letters of options and `(?imsxUJ)` turn on. */
export interface Modes {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
  /** Quantifiers are lazy, and greedy with a `?`. */
  readonly ungreedy: boolean;
  readonly duplicateNames: boolean;
}

/** The modes with those of the letters in `on` turned on, those in `off` turned off. */
export function withModes(modes: Modes, on: string, off: string): Modes {
  const of = (letter: string, now: boolean) => off.includes(letter) ? false : on.includes(letter) || now;
  return {
    ignoreCase: of("i", modes.ignoreCase),
    multiline: of("m", modes.multiline),
    dotAll: of("s", modes.dotAll),
    extended: of("x", modes.extended),
    ungreedy: of("U", modes.ungreedy),
    duplicateNames: of("J", modes.duplicateNames),
  };
}

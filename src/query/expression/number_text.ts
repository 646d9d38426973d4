/** Doubles as MongoDB writes them: `1`, `0.5`, `1e+20`, `inf`, `NaN`. */

/** At most 6 significant digits, as `%g` does: the form of error messages. */
export function formatDouble(value: number, digits = 6): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const text = rounded(value, digits);
  const exponent = Number(text.slice(text.indexOf("e") + 1));
  return exponent >= -4 && exponent < digits ? String(Number(text)) : scientific(text);
}

/** More digits than a double has that lies in the middle of two numbers of a few. */
const MANY_DIGITS = 60;

/** As `toExponential`, but what lies in the middle goes to the even digit, as in C. */
function rounded(value: number, digits: number): string {
  const text = value.toExponential(digits - 1);
  const [mantissa, power] = value.toExponential(MANY_DIGITS).split("e") as [string, string];
  const kept = mantissa.slice(0, mantissa.indexOf(".") + digits);
  const isMiddle = /^50*$/.test(mantissa.slice(kept.length));
  return isMiddle && Number(kept.at(-1)) % 2 === 0 ? `${kept}e${power}` : text;
}

/** `1.50000e+7` becomes `1.5e+07`. */
function scientific(text: string): string {
  const [mantissa, power] = text.split("e") as [string, string];
  const exponent = power.slice(1).padStart(2, "0");
  return `${String(Number(mantissa))}e${power[0]}${exponent}`;
}

/** As `formatDouble`, in the spelling of conversions: `NaN`, `Infinity`. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return formatDouble(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

const DOUBLE_TEXT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE_TEXT = /^[+-]?inf(?:inity)?$/i;

/** The double that a text is, or what is wrong with it. */
export function parseDoubleText(text: string): number | string {
  if (text === "") return "Empty string";
  if (/^\s/.test(text)) return "Leading whitespace";
  if (INFINITE_TEXT.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(text)) return NaN;
  if (!/^[+-]?\.?\d/.test(text)) return "Did not consume any digits";
  if (!DOUBLE_TEXT.test(text)) return "Did not consume whole string.";
  const value = Number(text);
  return isInRange(value, !/[1-9]/.test(text.replace(/e.*$/i, ""))) ? value : "Out of range";
}

/** The smallest double that has all its bits. */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * Whether a double holds what it was made of: neither too large nor, for MongoDB, so small that bits are lost.
 *
 * @param isZero what it was made of
 */
export function isInRange(double: number, isZero: boolean): boolean {
  return Number.isFinite(double) && (isZero || Math.abs(double) >= SMALLEST_NORMAL);
}

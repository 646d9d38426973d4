/** Doubles as MongoDB writes them: `1`, `0.5`, `1e+20`, `inf`, `NaN`. */

/** At most 6 significant digits, as `%g` does: the form of error messages. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  return scientific(value.toExponential(5));
}

/** `1.50000e+7` becomes `1.5e+07`. */
function scientific(text: string): string {
  const [mantissa, power] = text.split("e") as [string, string];
  const digits = power.slice(1).padStart(2, "0");
  return `${String(Number(mantissa))}e${power[0]}${digits}`;
}

import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { Decimal128 } from "../../bson/mod.ts";
import * as decimals from "./decimal_arithmetic.ts";
import * as functions from "./decimal_functions.ts";

const of = (text: string) => decimals.takeApart(Decimal128.fromString(text));
const text = (value: decimals.Decimal) => decimals.putTogether(value).toString();

Deno.test("results keep the exponent that the standard prefers and round half to even", () => {
  const cases: readonly (readonly [decimals.Decimal, string])[] = [
    [decimals.add(of("1.10"), of("2.20")), "3.30"],
    [decimals.add(of("1E+40"), of("1")), "1.000000000000000000000000000000000E+40"],
    [
      decimals.add(of("9999999999999999999999999999999999"), of("0.5")),
      "1.000000000000000000000000000000000E+34",
    ],
    [decimals.subtract(of("1"), of("1.00")), "0.00"],
    [decimals.multiply(of("1.20"), of("-3")), "-3.60"],
    [decimals.divide(of("1"), of("3")), "0.3333333333333333333333333333333333"],
    [decimals.divide(of("6.0"), of("2")), "3.0"],
    [decimals.divide(of("1"), of("0")), "Infinity"],
    [decimals.remainder(of("-7.5"), of("2")), "-1.5"],
    [decimals.multiply(of("9E+6144"), of("10")), "Infinity"],
    [decimals.quantize(of("2.5"), 0, "halfEven"), "2"],
    [decimals.quantize(of("2.5"), 0, "halfAway"), "3"],
    [decimals.quantize(of("-0.5"), 0, "halfAway"), "-1"],
    [decimals.quantize(of("-0.49"), 0, "halfAway"), "-0"],
    [decimals.quantize(of("-2.1"), 0, "floor"), "-3"],
    [decimals.fromDouble15(0.1), "0.100000000000000"],
    [decimals.fromDouble(0.1), "0.1000000000000000055511151231257827"],
  ];
  for (const [value, expected] of cases) assert.equal(text(value), expected);
});

Deno.test("taking apart and putting together gives the same bytes", () => {
  const random = seededRandom(3);
  for (let i = 0; i < 500; i++) {
    const digits = Array.from({ length: 1 + Math.floor(random() * 34) }, () => Math.floor(random() * 10))
      .join("");
    const value = Decimal128.fromString(
      `${random() < 0.5 ? "-" : ""}${digits}E${Math.floor(random() * 12000) - 6100}`,
    );
    assert.equal(text(decimals.takeApart(value)), value.toString());
  }
});

Deno.test("sums and products of integers are exact, and division undoes multiplication", () => {
  const random = seededRandom(4);
  const whole = () => BigInt(Math.floor((random() - 0.5) * 2 ** 53)) * BigInt(Math.floor(random() * 10));
  for (let i = 0; i < 300; i++) {
    const [a, b] = [whole(), whole() + 1n];
    const [x, y] = [decimals.fromInteger(a), decimals.fromInteger(b)];
    assert.equal(decimals.toInteger(decimals.add(x, y)), a + b);
    if (b !== 0n) assert.equal(decimals.toInteger(decimals.divide(decimals.multiply(x, y), y)), a);
  }
});

Deno.test("functions agree with those of doubles, and with their inverses to 33 digits", () => {
  const pairs: readonly (readonly [(x: decimals.Decimal) => decimals.Decimal, (x: number) => number])[] = [
    [functions.exponential, Math.exp],
    [functions.naturalLogarithm, Math.log],
    [functions.decimalLogarithm, Math.log10],
    [functions.squareRoot, Math.sqrt],
    [functions.sine, Math.sin],
    [functions.cosine, Math.cos],
    [functions.tangent, Math.tan],
    [functions.arctangent, Math.atan],
    [functions.hyperbolicSine, Math.sinh],
    [functions.areaSine, Math.asinh],
  ];
  for (const x of [0.001, 0.5, 1, 2.75, 40]) {
    for (const [exact, double] of pairs) {
      const value = decimals.toDouble(exact(decimals.fromDouble(x)));
      assert.ok(
        Math.abs(value - double(x)) <= 1e-14 * Math.abs(double(x)),
        `${double.name}(${x}) is ${value}`,
      );
    }
    const there = functions.naturalLogarithm(functions.exponential(of(String(x))));
    const error = decimals.toDouble(decimals.subtract(there, of(String(x))));
    assert.ok(Math.abs(error) <= 1e-30, `ln(exp(${x}))`);
  }
  assert.equal(text(functions.squareRoot(of("2"))), "1.414213562373095048801688724209698");
});

Deno.test("the nearest double of a decimal and the 15 digits of a double are those that texts give", () => {
  const random = seededRandom(11);
  for (let i = 0; i < 20_000; i++) {
    const digits = Array.from({ length: 1 + Math.floor(random() * 34) }, () => Math.floor(random() * 10));
    const coefficient = BigInt(digits.join(""));
    const exponent = Math.floor(random() * 90) - 80;
    const value = decimals.finite(random() < 0.5, coefficient, exponent);
    const sign = value.negative ? -1 : 1;
    assert.equal(decimals.toDouble(value), sign * Number(`${coefficient}e${exponent}`));
    assert.equal(decimals.digitCount(coefficient), coefficient === 0n ? 0 : `${coefficient}`.length);
    // Half-way between two doubles.
    const half = BigInt(Math.floor(random() * 2 ** 53)) * 2n + 1n;
    assert.equal(
      decimals.toDouble(decimals.finite(false, half * 5n ** 10n, -10)),
      Number(`${half * 5n ** 10n}e-10`),
    );
    const short = Math.round(random() * 10 ** (1 + i % 15)) / 10 ** (i % 7);
    assert.equal(Number(text(decimals.fromDouble15(short))), Number(short.toPrecision(15)));
  }
  for (let power = 0; power < 80; power++) {
    for (const off of [-1n, 0n, 1n]) {
      const coefficient = 10n ** BigInt(power) + off;
      assert.equal(decimals.digitCount(coefficient), coefficient === 0n ? 0 : `${coefficient}`.length);
    }
  }
});

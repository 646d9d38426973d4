/** Where an expression answers otherwise than in MongoDB 6.0.5 on purpose: what it says, what ChronoGo says, and why. */
export const INTENDED_DIFFERENCES: readonly {
  /** Extended JSON, as are the answers. */
  readonly expression: string;
  readonly theirs: string;
  readonly ours: string;
  readonly reason: string;
}[] = [
  {
    expression: `{"$ceil": {"$numberDecimal": "Infinity"}}`,
    theirs: `{"$numberDecimal": "NaN"}`,
    ours: `{"$numberDecimal": "Infinity"}`,
    reason: "a double's infinity stays as it is, and so does a decimal's",
  },
  {
    expression: `{"$log": [{"$numberDecimal": "9"}, {"$numberDecimal": "3"}]}`,
    theirs: `{"$numberDecimal": "0.7324081924454065118563063464303833"}`,
    ours: `{"$numberDecimal": "2"}`,
    reason: "the logarithm to a base of decimals is divided by the base's logarithm, not by the base",
  },
  {
    expression: `{"$round": [{"$numberInt": "-2147483648"}, -1]}`,
    theirs: `{"$numberInt": "2147483646"}`,
    ours: `{"$numberLong": "-2147483650"}`,
    reason: "an int32 that rounds beyond its type becomes int64, on both sides of zero",
  },
  {
    expression: `{"$dateAdd": {"startDate": {"$date": {"$numberLong": "-1"}}, "unit": "day", "amount": 1}}`,
    theirs: `{"$date": {"$numberLong": "86398999"}}`,
    ours: `{"$date": {"$numberLong": "86399999"}}`,
    reason: "before 1970 a date with milliseconds does not lose a second",
  },
];

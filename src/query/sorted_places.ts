/**
 * Sorts places by what stands at each in columns. Where it can, a column becomes ranks first, numbers in its order: then numbers
 * are compared, whatever the values are, and texts that repeat are compared once.
 */
import { type Collation, type Value, valueOrder } from "../bson/mod.ts";
import { sortInTurns } from "./sort_in_turns.ts";
import { type ValueColumn, ValueKind } from "./value_column.ts";

export interface KeyPart {
  readonly descending: boolean;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
}

/** Negative, zero or positive as a place stands before, with or after another. */
export type PlaceOrder = (a: number, b: number) => number;

const bit = (kind: number) => 1 << kind;
const NUMBERS = bit(ValueKind.Double) | bit(ValueKind.Int) | bit(ValueKind.Long);
const DATES = bit(ValueKind.Date);
const ABSENT = bit(ValueKind.Missing) | bit(ValueKind.Null);
const OTHERS = bit(ValueKind.Other);

/**
 * All places in order, those of equal keys as they came.
 *
 * @param columns one a part of the key, all of one length
 * @param pause awaited now and then
 */
export async function sortedPlaces(
  columns: readonly ValueColumn[],
  parts: readonly KeyPart[],
  pause: () => Promise<void>,
): Promise<readonly number[]> {
  const orders: PlaceOrder[] = [];
  for (const [i, column] of columns.entries()) {
    orders.push(await orderOfColumn(column, parts[i]!, pause));
    await pause();
  }
  const places = Array.from({ length: columns[0]!.length }, (_, place) => place);
  return await sortInTurns(places, placeOrder(orders), pause);
}

function placeOrder(orders: readonly PlaceOrder[]): PlaceOrder {
  const [first, second] = orders;
  if (orders.length === 1) return first!;
  if (orders.length === 2) return (a, b) => first!(a, b) || second!(a, b);
  return (a, b) => {
    for (const order of orders) {
      const result = order(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };
}

async function orderOfColumn(
  column: ValueColumn,
  { descending, collation }: KeyPart,
  pause: () => Promise<void>,
): Promise<PlaceOrder> {
  const ranks = (column.kinds & ~(OTHERS | ABSENT)) === 0
    ? await ranksOfOthers(column, collation, pause)
    : ranksOfNumbers(column);
  if (ranks !== undefined) {
    return descending ? (a, b) => ranks[b]! - ranks[a]! : (a, b) => ranks[a]! - ranks[b]!;
  }
  const compare = valueOrder(collation);
  return descending
    ? (a, b) => compare(column.at(b), column.at(a))
    : (a, b) => compare(column.at(a), column.at(b));
}

/** What is absent stands before NaN, that before all numbers. */
const ABSENT_RANK = -Number.MAX_VALUE;
const NAN_RANK = -Number.MAX_VALUE * 0.75;
const MOST_RANK = Number.MAX_VALUE / 2;

/** A finite number a place, in the order of the values; undefined where their kinds have no common one. */
function ranksOfNumbers(column: ValueColumn): Float64Array | undefined {
  const { kinds } = column;
  const isOneKind = (kinds & ~(NUMBERS | ABSENT)) === 0 || (kinds & ~(DATES | ABSENT)) === 0;
  if (!isOneKind || (kinds & ABSENT) === ABSENT) return undefined;
  const ranks = new Float64Array(column.length);
  for (let place = 0; place < ranks.length; place++) {
    const number = column.numberAt(place);
    if ((bit(column.kindAt(place)) & ABSENT) !== 0) ranks[place] = ABSENT_RANK;
    else if (Number.isNaN(number)) ranks[place] = NAN_RANK;
    else if (Math.abs(number) < MOST_RANK) ranks[place] = number;
    else return undefined;
  }
  return ranks;
}

/** A number for each value, and for places with the same value the same one. */
async function ranksOfOthers(
  column: ValueColumn,
  collation: Collation | undefined,
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const compare = valueOrder(collation);
  const numbers = new Map<Value, number>([[undefined, 0], [null, 1]]);
  const numberOf = (value: Value) => {
    const known = numbers.get(value);
    if (known === undefined) numbers.set(value, numbers.size);
    return known ?? numbers.size - 1;
  };
  const numberOfOther = Uint32Array.from(column.others, numberOf);
  const values = [...numbers.keys()];
  const sorted = await sortInTurns(
    values.map((_, i) => i),
    (a, b) => compare(values[a], values[b]),
    pause,
  );
  const rankOf = new Float64Array(values.length);
  for (let i = 1, rank = 0; i < sorted.length; i++) {
    if (compare(values[sorted[i - 1]!], values[sorted[i]!]) !== 0) rank++;
    rankOf[sorted[i]!] = rank;
  }
  const ranks = new Float64Array(column.length);
  for (let place = 0; place < ranks.length; place++) {
    const kind = column.kindAt(place);
    const number = kind === ValueKind.Other
      ? numberOfOther[column.numberAt(place)]!
      : kind === ValueKind.Missing
      ? 0
      : 1;
    ranks[place] = rankOf[number]!;
  }
  return ranks;
}

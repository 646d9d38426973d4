/** The type byte of a BSON element (bsonspec.org), by MongoDB's names; `$type` knows them by `aliasOfType`. */
export const BsonType = {
  /** No BSON type: the field is not there. */
  Missing: 0,
  Double: 1,
  String: 2,
  Object: 3,
  Array: 4,
  Binary: 5,
  Undefined: 6,
  ObjectId: 7,
  Boolean: 8,
  Date: 9,
  Null: 10,
  Regex: 11,
  DBPointer: 12,
  Code: 13,
  Symbol: 14,
  CodeWithScope: 15,
  Int32: 16,
  Timestamp: 17,
  Int64: 18,
  Decimal128: 19,
  MaxKey: 127,
  MinKey: 255,
} as const;
export type BsonType = typeof BsonType[keyof typeof BsonType];

const ALIASES: Readonly<Record<number, string>> = {
  [BsonType.Missing]: "missing",
  [BsonType.Double]: "double",
  [BsonType.String]: "string",
  [BsonType.Object]: "object",
  [BsonType.Array]: "array",
  [BsonType.Binary]: "binData",
  [BsonType.Undefined]: "undefined",
  [BsonType.ObjectId]: "objectId",
  [BsonType.Boolean]: "bool",
  [BsonType.Date]: "date",
  [BsonType.Null]: "null",
  [BsonType.Regex]: "regex",
  [BsonType.DBPointer]: "dbPointer",
  [BsonType.Code]: "javascript",
  [BsonType.Symbol]: "symbol",
  [BsonType.CodeWithScope]: "javascriptWithScope",
  [BsonType.Int32]: "int",
  [BsonType.Timestamp]: "timestamp",
  [BsonType.Int64]: "long",
  [BsonType.Decimal128]: "decimal",
  [BsonType.MaxKey]: "maxKey",
  [BsonType.MinKey]: "minKey",
};

/** The name that `$type` and error messages give a type: `int`, `objectId`, `missing`. */
export function aliasOfType(type: BsonType): string {
  return ALIASES[type] ?? "unknown";
}

/** The type that an alias of `$type` names, or undefined; `number` is not one type and is the caller's to treat. */
export function typeOfAlias(alias: string): BsonType | undefined {
  for (const [type, name] of Object.entries(ALIASES)) {
    if (name === alias && name !== "missing") return Number(type) as BsonType;
  }
  return undefined;
}

/** BSON: values with exact types, documents read lazily from their bytes, MongoDB's order and equality, the border check. */
export { canonicalValue } from "./canonical.ts";
export { Collation, type CollationOrder, isCollated } from "./collation.ts";
export {
  type CollationFields,
  collationOfFields,
  collationOfOptions,
  isBackwards,
  MAX_STRENGTH,
  readCollationFields,
} from "./collation_fields.ts";
export { type CollationLocale, localeText, readLocale } from "./collation_locales.ts";
export {
  compareBytes,
  compareDoubles,
  compareNumbers,
  compareText,
  compareValues,
  equalValues,
  rankOfType,
  valueOrder,
} from "./compare.ts";
export { type DecimalParts, decimalParts, doubleParts } from "./decimal.ts";
export { isDeeperThan, SHALLOW_BYTES } from "./depth.ts";
export { type ArrayRoom, BuiltDocument, Document, DocumentBuilder, type Layout } from "./document.ts";
export { hashedValue } from "./hashed_value.ts";
export { encodeIndexKey, StoredValueKey, textOfKey } from "./index_key.ts";
export { IndexKeyReader } from "./index_key_reader.ts";
export { encodeKeyTypes } from "./key_types.ts";
export { keyOf, type ValueKey, valueKeys } from "./key.ts";
export {
  elementType,
  RawDocument,
  readDouble,
  readElementValue,
  readInt32,
  readInt64,
  readInt64AsNumber,
  readName,
  readValue,
  skipElement,
  valueSize,
  valueStart,
} from "./raw.ts";
export { identicalDocuments, identicalValues } from "./identical.ts";
export { readText } from "./text.ts";
export { aliasOfType, BsonType, typeOfAlias } from "./type.ts";
export { validateDocument, validateDocuments, validateLength, validateValue } from "./validate.ts";
export {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  DBPointer,
  Decimal128,
  Int32,
  isArray,
  isNullish,
  isNumber,
  MaxKey,
  MinKey,
  ObjectId,
  type Scalar,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "./value.ts";
export { BsonWriter, encodeDocument, indexHeaderBytes } from "./writer.ts";

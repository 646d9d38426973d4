/** Documents as values: `$mergeObjects`, `$objectToArray`, `$arrayToObject`, `$getField`, `$setField`, `$unsetField`. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  Document,
  DocumentBuilder,
  encodeDocument,
  Int32,
  isArray,
  isNullish,
  type Value,
} from "../../bson/mod.ts";
import { createMergeObjects } from "../accumulator/collection.ts";
import { constant, type Expression, namedNode, type OperatorNode, type ParseContext } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import { type OperatorDefinition, type Parse, stepwise, unary } from "./operator.ts";

const MERGE_OBJECTS = stepwise("$mergeObjects", [0, Infinity], (argument, count) => {
  const merged = createMergeObjects();
  for (let i = 0; i < count; i++) merged.add(argument(i));
  return merged.result();
});

const OBJECT_TO_ARRAY = unary("$objectToArray", (value) => {
  if (isNullish(value)) return null;
  if (!(value instanceof Document)) {
    throw new CommandError(40390, `$objectToArray requires a document input, found: ${typeName(value)}`);
  }
  const values = value.values();
  return value.names().map((name, i) => new BuiltDocument(["k", "v"], [name, values[i]]));
});

const ARRAY_TO_OBJECT = unary("$arrayToObject", (value) => {
  if (isNullish(value)) return null;
  if (!isArray(value)) {
    throw new CommandError(40386, `$arrayToObject requires an array input, found: ${typeName(value)}`);
  }
  const fields = new Map<string, Value>();
  const read = isArray(value[0]) ? readPair : readKeyValue;
  if (value.length > 0 && !isArray(value[0]) && !(value[0] instanceof Document)) {
    throw new CommandError(40398, `Unrecognised input type format for $arrayToObject: ${typeName(value[0])}`);
  }
  for (const item of value) {
    const [name, field] = read(item);
    if (name.includes("\0")) {
      throw new CommandError(4940400, "Key field cannot contain an embedded null byte");
    }
    fields.set(name, field);
  }
  return new BuiltDocument([...fields.keys()], [...fields.values()]);
});

const MIXED =
  "$arrayToObject requires a consistent input format. Elements mustall be arrays or all be objects.";

function readPair(item: Value): readonly [string, Value] {
  if (!isArray(item)) {
    throw new CommandError(40396, `${MIXED} Array was detected, now found: ${typeName(item)}`);
  }
  if (item.length !== 2) {
    throw new CommandError(
      40397,
      `$arrayToObject requires an array of size 2 arrays,found array of size: ${item.length}`,
    );
  }
  const [name, value] = item;
  if (typeof name === "string") return [name, value];
  throw new CommandError(
    40395,
    `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${
      typeName(name)
    }`,
  );
}

function readKeyValue(item: Value): readonly [string, Value] {
  if (!(item instanceof Document)) {
    throw new CommandError(40391, `${MIXED} Object was detected, now found: ${typeName(item)}`);
  }
  const count = item.names().length;
  if (count !== 2) {
    throw new CommandError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${count}`,
    );
  }
  if (!item.has("k") || !item.has("v")) {
    throw new CommandError(
      40393,
      `$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ${
        renderValue(item)
      }`,
    );
  }
  const name = item.get("k");
  if (typeof name === "string") return [name, item.get("v")];
  throw new CommandError(
    40394,
    `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${
      typeName(name)
    }`,
  );
}

/** The errors for a `field` argument that is no constant text. */
interface FieldCodes {
  readonly path: number;
  readonly notConstant: number;
  readonly notText: number;
}

/** The name that a parsed `field` argument gives. @throws CommandError for what is no constant text */
function constantField(operator: string, field: Expression, codes: FieldCodes): Expression {
  if (field.kind === "path") {
    const text = `$${[field.variable, ...field.path].join(".")}`;
    throw new CommandError(
      codes.path,
      `'${text}' is a field path reference which is not allowed in this context. Did you mean {$literal: '${text}'}?`,
    );
  }
  const literal = field.kind === "operator" && (field.name === "$literal" || field.name === "$const")
    ? field.args[0]
    : field;
  if (literal?.kind !== "constant") {
    throw new CommandError(
      codes.notConstant,
      `${operator} requires 'field' to evaluate to a constant, but got a non-constant argument`,
    );
  }
  if (typeof literal.value === "string") return literal;
  throw new CommandError(
    codes.notText,
    `${operator} requires 'field' to evaluate to type String, but got ${typeName(literal.value)}`,
  );
}

const GET_FIELD_ARGUMENTS: NamedArguments = {
  operator: "$getField",
  names: {
    field: new CommandError(3041702, "$getField requires 'field' to be specified"),
    input: new CommandError(3041703, "$getField requires 'input' to be specified"),
  },
  notAnObject: (value) => new CommandError(3041704, `$getField found ${typeName(value)}`),
  unknown: (name) => new CommandError(3041701, `$getField found an unknown argument: ${name}`),
};
const GET_FIELD_CODES: FieldCodes = { path: 5654600, notConstant: 5654601, notText: 5654602 };

function parseGetField(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  const named = value instanceof Document && !value.names()[0]?.startsWith("$")
    ? parseNamed(GET_FIELD_ARGUMENTS, value, context, parse).named
    : { field: parse(value, context), input: parse("$$CURRENT", context) };
  return namedNode("$getField", {
    field: constantField("$getField", named["field"]!, GET_FIELD_CODES),
    input: named["input"]!,
  });
}

function fieldName(node: OperatorNode): string {
  const field = node.named["field"];
  return field?.kind === "constant" && typeof field.value === "string" ? field.value : "";
}

const GET_FIELD: OperatorDefinition = {
  name: "$getField",
  unfolded: "arguments",
  parse: parseGetField,
  compile: ({ named, node }) => {
    const name = fieldName(node);
    const input = named["input"]!;
    return (scope) => {
      const value = input(scope);
      if (value instanceof Document) return value.get(name);
      return value === undefined || !isNullish(value) ? undefined : null;
    };
  },
};

const SET_FIELD_CODES: FieldCodes = { path: 4161108, notConstant: 4161106, notText: 4161107 };

function setFieldArguments(operator: string, withValue: boolean): NamedArguments {
  return {
    operator,
    names: {
      field: new CommandError(4161102, `${operator} requires 'field' to be specified`),
      ...(withValue
        ? { value: new CommandError(4161103, `${operator} requires 'value' to be specified`) }
        : {}),
      input: new CommandError(4161109, `${operator} requires 'input' to be specified`),
    },
    notAnObject: () => new CommandError(4161100, `${operator} only supports an object as its argument`),
    unknown: (name) => new CommandError(4161101, `${operator} found an unknown argument: ${name}`),
  };
}

/** `$unsetField` is `$setField` of `$$REMOVE`. */
function setField(operator: "$setField" | "$unsetField"): OperatorDefinition {
  const spec = setFieldArguments(operator, operator === "$setField");
  return {
    name: operator,
    unfolded: "arguments",
    parse: (value, context, parse) => {
      const { named } = parseNamed(spec, value, context, parse);
      const field = constantField(operator, named["field"]!, SET_FIELD_CODES);
      const newValue = named["value"] ?? constant(undefined);
      return namedNode(operator, { field, input: named["input"]!, value: newValue });
    },
    compile: ({ named, node }) => {
      const name = fieldName(node);
      const input = named["input"]!;
      const newValue = named["value"]!;
      return (scope) => {
        const document = input(scope);
        if (isNullish(document)) return null;
        if (!(document instanceof Document)) {
          throw new CommandError(4161105, "$setField requires 'input' to evaluate to type Object");
        }
        return DocumentBuilder.from(document).set(name, newValue(scope)).build();
      };
    },
  };
}

const BSON_SIZE = unary("$bsonSize", (value) => {
  if (isNullish(value)) return null;
  if (value instanceof Document) return Int32.of(encodeDocument(value).length);
  throw new CommandError(31393, `$bsonSize requires a document input, found: ${typeName(value)}`);
});

export const OBJECT: readonly OperatorDefinition[] = [
  ARRAY_TO_OBJECT,
  BSON_SIZE,
  GET_FIELD,
  MERGE_OBJECTS,
  OBJECT_TO_ARRAY,
  setField("$setField"),
  setField("$unsetField"),
];

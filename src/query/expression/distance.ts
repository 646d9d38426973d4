/** What `$near` and `$geoNear` compute of a row, as expressions: internal, so no name here can be written by a client. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, type Document, type Value } from "../../bson/mod.ts";
import { type DistanceUnit, type FoundPlace, type Near, nearestPlace } from "../geo/near.ts";
import { constant, type Expression, type OperatorNode, operatorNode } from "./expression.ts";
import { asDouble, type NumberValue } from "./number.ts";
import type { OperatorDefinition } from "./operator.ts";

const DISTANCE = "$_distance";
const PLACE = "$_place";

/** How far the place at a path is, in the unit, times `factor`; missing where there is none. */
export function distanceExpression(path: readonly string[], near: Near, factor: number): Expression {
  return operatorNode(DISTANCE, [pathTo(path), constant(described(near)), constant(factor)]);
}

/** The place at a path, of several the nearest. */
export function placeExpression(path: readonly string[], near: Near): Expression {
  return operatorNode(PLACE, [pathTo(path), constant(described(near))]);
}

function pathTo(path: readonly string[]): Expression {
  return { kind: "path", variable: "CURRENT", path };
}

function described({ center, unit }: Near): Document {
  return BuiltDocument.of({ x: center.x, y: center.y, unit });
}

function nearOf(node: OperatorNode): Near {
  const described = constantOf(node, 1) as Document;
  const center = { x: described.get("x") as number, y: described.get("y") as number };
  return { center, unit: described.get("unit") as DistanceUnit };
}

function constantOf(node: OperatorNode, index: number): Value {
  const argument = node.args[index]!;
  return argument.kind === "constant" ? argument.value : undefined;
}

function found(name: string, resultOf: (found: FoundPlace, node: OperatorNode) => Value): OperatorDefinition {
  return {
    name,
    parse: () => {
      throw new CommandError("InvalidPipelineOperator", `Unrecognized expression '${name}'`);
    },
    compile: ({ args, node }) => {
      const near = nearOf(node);
      const valueOf = args[0]!;
      return (scope) => {
        const place = nearestPlace(near, valueOf(scope));
        return place && resultOf(place, node);
      };
    },
  };
}

export const PLACES: readonly OperatorDefinition[] = [
  found(DISTANCE, ({ distance }, node) => distance * asDouble(constantOf(node, 2) as NumberValue)),
  found(PLACE, ({ place }) => place),
];

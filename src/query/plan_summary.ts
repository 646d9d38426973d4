/** A plan in one line, as the profiler writes it: how rows are found. */
import { Document, isArray } from "../bson/mod.ts";
import { scanNode } from "./explain_scan.ts";
import { renderDocument } from "./expression/message.ts";
import type { Plan } from "./plan.ts";
import type { SourceShape } from "./source.ts";

export interface PlanSummary {
  /** `COLLSCAN`, `IXSCAN { a: 1 }`, one for each index. */
  readonly text: string;
  /** Whether each row that is read is found by a key. */
  readonly isByKeys: boolean;
}

/** By the _id alone. */
export const BY_ID: PlanSummary = { text: "IDHACK", isByKeys: true };

export function planSummary(plan: Plan, shape: SourceShape): PlanSummary {
  const leaves = leavesOf(scanNode(plan, shape, undefined));
  return {
    text: leaves.map(leafText).join(", "),
    isByKeys: leaves.every((leaf) => leaf.has("keyPattern") || leaf.get("stage") === BY_ID.text),
  };
}

function leavesOf(node: Document): Document[] {
  const input = node.get("inputStage");
  if (input instanceof Document) return leavesOf(input);
  const inputs = node.get("inputStages");
  return isArray(inputs) ? inputs.flatMap((each) => leavesOf(each as Document)) : [node];
}

function leafText(leaf: Document): string {
  const keyPattern = leaf.get("keyPattern");
  const stage = leaf.get("stage") as string;
  return keyPattern instanceof Document ? `${stage} ${renderDocument(keyPattern)}` : stage;
}

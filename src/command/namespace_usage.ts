/** How often collections were used and for how long, by what was done: what `top` shows. */
import { MAX_COUNTED_NAMESPACES } from "../base/mod.ts";

/** As `top` names the kinds of operations. */
export const USES = ["queries", "getmore", "insert", "update", "remove", "commands"] as const;
export type Use = typeof USES[number];

export interface Usage {
  count: number;
  micros: number;
}

/** One collection's. */
export interface NamespaceUsage {
  readonly reads: Usage;
  readonly writes: Usage;
  readonly uses: Readonly<Record<Use, Usage>>;
}

const USE_OF_OP: Readonly<Record<string, Use>> = {
  query: "queries",
  getmore: "getmore",
  insert: "insert",
  update: "update",
  remove: "remove",
};

export class UsageTable {
  /** The one that was used longest ago goes when there are too many. */
  private readonly byNamespace = new Map<string, NamespaceUsage>();
  private lastUsed: string | undefined;

  /** @param op as an operation's label names it @param micros how long it took */
  add(op: string, namespace: string, kind: "read" | "write" | undefined, micros: number): void {
    const usage = this.byNamespace.get(namespace) ?? newUsage();
    count(usage.uses[USE_OF_OP[op] ?? "commands"], micros);
    if (kind !== undefined) count(kind === "write" ? usage.writes : usage.reads, micros);
    if (namespace === this.lastUsed) return;
    this.lastUsed = namespace;
    this.byNamespace.delete(namespace);
    this.byNamespace.set(namespace, usage);
    if (this.byNamespace.size <= MAX_COUNTED_NAMESPACES) return;
    for (const oldest of this.byNamespace.keys()) {
      this.byNamespace.delete(oldest);
      break;
    }
  }

  /** By namespace, sorted. */
  all(): readonly (readonly [namespace: string, usage: NamespaceUsage])[] {
    return [...this.byNamespace].sort(([a], [b]) => a < b ? -1 : 1);
  }
}

function count(usage: Usage, micros: number): void {
  usage.count++;
  usage.micros += micros;
}

function newUsage(): NamespaceUsage {
  const none = () => ({ count: 0, micros: 0 });
  const uses = {
    queries: none(),
    getmore: none(),
    insert: none(),
    update: none(),
    remove: none(),
    commands: none(),
  };
  return { reads: none(), writes: none(), uses };
}

/** What a change stream looks at: a collection by its name, a database, or all databases that hold clients' data. */
import type { Namespace } from "../catalog.ts";

export type Scope =
  | { readonly kind: "collection"; readonly namespace: Namespace }
  | { readonly kind: "database"; readonly db: string }
  | { readonly kind: "deployment" };

const INTERNAL_DATABASES: ReadonlySet<string> = new Set(["admin", "config", "local"]);
const INTERNAL_PREFIX = "system.";

/** Whether a collection is looked at. */
export function covers(scope: Scope, { db, collection }: Namespace): boolean {
  if (collection.startsWith(INTERNAL_PREFIX)) return false;
  switch (scope.kind) {
    case "collection":
      return scope.namespace.collection === collection && scope.namespace.db === db;
    case "database":
      return scope.db === db;
    case "deployment":
      return !INTERNAL_DATABASES.has(db);
  }
}

/** Whether the end of a database is told. */
export function coversDatabase(scope: Scope, db: string): boolean {
  return scope.kind === "database"
    ? scope.db === db
    : scope.kind === "deployment" && !INTERNAL_DATABASES.has(db);
}

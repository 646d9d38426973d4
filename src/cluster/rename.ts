/** What MongoDB lets a collection be renamed to. */
import { CommandError } from "../base/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "./catalog.ts";

/**
 * @param lookup what there is under a name
 * @param databaseExists whether the source's database is there
 * @throws CommandError NamespaceNotFound (26), NamespaceExists (48), CommandNotSupportedOnView (166)
 */
export function checkRename(
  source: Namespace,
  target: Namespace,
  dropTarget: boolean,
  lookup: (namespace: Namespace) => CollectionInfo | undefined,
  databaseExists: boolean,
): void {
  const info = lookup(source);
  if (info === undefined) throw notThere(source, target, databaseExists);
  if (isViewToMongodb(info)) {
    throw new CommandError("CommandNotSupportedOnView", `cannot rename view: ${namespaceText(source)}`);
  }
  const existing = lookup(target);
  if (existing === undefined) return;
  if (isViewToMongodb(existing)) {
    throw new CommandError(
      "NamespaceExists",
      `a view already exists with that name: ${namespaceText(target)}`,
    );
  }
  if (!dropTarget) throw new CommandError("NamespaceExists", "target namespace exists");
}

/** A time series is a view of its buckets. */
function isViewToMongodb({ view, timeseries }: CollectionInfo): boolean {
  return view !== undefined || timeseries !== undefined;
}

function notThere(source: Namespace, target: Namespace, databaseExists: boolean): CommandError {
  const text = source.db !== target.db
    ? "source namespace does not exist"
    : databaseExists
    ? `Source collection ${namespaceText(source)} does not exist`
    : `Database ${source.db} does not exist or is drop pending`;
  return new CommandError("NamespaceNotFound", text);
}

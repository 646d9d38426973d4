/** Where data lives and how it is reached: the catalog, the router, the VNodes. */
export { type CollectionInfo, type Namespace, namespaceText, type TimeseriesOptions } from "./catalog.ts";
export { type CollectionSpec, type CollectionStats, type InsertResult, type Router } from "./router.ts";

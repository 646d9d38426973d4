/** The MongoDB that ChronoGo speaks for. */
export const MONGODB_VERSION = "8.0.0";
export const MONGODB_VERSION_ARRAY: readonly number[] = [8, 0, 0, 0];
export const FEATURE_COMPATIBILITY_VERSION = "8.0";
export const MIN_WIRE_VERSION = 0;
export const MAX_WIRE_VERSION = 25;

/** What a capped collection may hold. */
export interface CollectionLimits {
  /** Bytes of the documents as BSON. */
  readonly maxBytes: number;
  readonly maxCount: number;
}

/** Whether nothing has to go: one document may always stay. */
export function isWithin(
  totals: { readonly count: number; readonly dataBytes: number },
  { maxBytes, maxCount }: CollectionLimits,
): boolean {
  const { count, dataBytes } = totals;
  return count <= 1 || (count <= maxCount && dataBytes <= maxBytes);
}

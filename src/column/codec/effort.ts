/**
 * How hard an encoder tries: "small" finds the smallest form, "fast" takes a good one at once, for pages that are soon
 * written again. Readers need not know.
 */
export type Effort = "small" | "fast";

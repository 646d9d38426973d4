/**
 * Values that codecs write so that they can be decoded without those before: a reader who wants few values of a page
 * decodes a quarter of it.
 */
export const BLOCK_VALUES = 1024;

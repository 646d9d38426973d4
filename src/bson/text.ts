/**
 * Texts out of their bytes. Short ones of ASCII are looked up in a table of those that were read lately: names of fields
 * and operators come again and again, and a string that is there already costs neither memory nor, as a key, a hash.
 */
const UTF8 = new TextDecoder();
/** Below this length a plain loop beats the decoder's call. */
const SHORT_TEXT_BYTES = 48;
/** One text a place: the last one that was read of those that share it. A power of two. */
const KNOWN_TEXTS = 2048;
const known = new Array<string>(KNOWN_TEXTS).fill("");

/** The text of `bytes[start, end)`, which is UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT_TEXT_BYTES) return UTF8.decode(bytes.subarray(start, end));
  let hash = length;
  let all = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    hash = Math.imul(hash, 31) + byte | 0;
    all |= byte;
  }
  if (all > 127) return UTF8.decode(bytes.subarray(start, end));
  const place = (hash ^ hash >>> 11) & KNOWN_TEXTS - 1;
  const last = known[place]!;
  return isText(last, bytes, start, length) ? last : known[place] = asciiText(bytes, start, end);
}

function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** Some characters at a time: a text that grows is copied with each step. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let i = start;
  for (; i + 7 < end; i += 8) {
    text += String.fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
    );
  }
  for (; i + 3 < end; i += 4) {
    text += String.fromCharCode(bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!);
  }
  for (; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

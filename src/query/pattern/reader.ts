/** A pattern that is read from left to right, and what is wrong with it. */

/** A pattern that PCRE refuses; the message is PCRE's. */
export class PatternError extends Error {}

export class PatternReader {
  at = 0;

  constructor(readonly text: string) {}

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The next UTF-16 unit; empty at the end. */
  get next(): string {
    return this.text[this.at] ?? "";
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Takes the text if it comes next. */
  skip(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes what the form (a sticky expression) finds next; null where it finds nothing. */
  take(form: RegExp): RegExpExecArray | null {
    const match = this.find(form);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  /** What the form (a sticky expression) finds next. */
  find(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.at;
    return form.exec(this.text);
  }

  /** Takes one character. */
  character(): number {
    const code = this.text.codePointAt(this.at)!;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }
}

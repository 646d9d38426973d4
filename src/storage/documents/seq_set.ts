/** Which places of a collection were met, a bit each: a statement over all documents keeps no list of them. */

/** Places that share one array of bits. */
const PAGE_PLACES = 1 << 15;

export class SeqSet {
  private readonly pages = new Map<number, Uint8Array>();

  /** @returns whether the place was not there yet */
  add(seq: number): boolean {
    const number = Math.floor(seq / PAGE_PLACES);
    let page = this.pages.get(number);
    if (page === undefined) this.pages.set(number, page = new Uint8Array(PAGE_PLACES / 8));
    const place = seq - number * PAGE_PLACES;
    const bit = 1 << (place & 7);
    const before = page[place >> 3]!;
    page[place >> 3] = before | bit;
    return (before & bit) === 0;
  }
}

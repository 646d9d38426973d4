/** A peer that cannot run on this machine: it is left out of the table, and its reason printed. */
export class PeerMissing extends Error {
  override readonly name = "PeerMissing";
}

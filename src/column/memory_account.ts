/** Counts the bytes that growing arrays hold; one for all that share a budget. */
export class MemoryAccount {
  bytes = 0;
}

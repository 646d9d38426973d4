/** Who wants to be told of changes, by collection. */
export class Watchers {
  private readonly listeners = new Map<number, Set<() => void>>();

  /** @returns what ends it */
  add(id: number, listener: () => void): () => void {
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.delete(id);
    };
  }

  tell(ids: Iterable<number>): void {
    if (this.listeners.size === 0) return;
    for (const id of ids) {
      for (const listener of [...this.listeners.get(id) ?? []]) listener();
    }
  }
}

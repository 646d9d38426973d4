/**
 * The checkpoints that writers ask for when memory or the log is full. One runs at a time, beside the writers: they wait
 * for its end only when all is full again before it has ended (that is the back-pressure that they feel), or when it has
 * failed: then its error is the next writer's answer.
 */
export class CheckpointRequests {
  private runs = false;
  private failed = false;

  /** Asks for one. @param isFull whether there is no room until it has ended */
  async ask(isFull: () => boolean, checkpoint: () => Promise<void>): Promise<void> {
    if (this.failed) {
      await checkpoint();
      this.failed = false;
      return;
    }
    if (this.runs) {
      if (isFull()) await checkpoint();
      return;
    }
    this.runs = true;
    checkpoint().then(() => {
      this.failed = false;
    }, () => {
      this.failed = true;
    }).finally(() => {
      this.runs = false;
    });
  }
}

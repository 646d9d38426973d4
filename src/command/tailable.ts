/** Tailable finds: cursors over capped collections that stay open at the end and go on with what comes. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import { type CollectionTail, type Namespace, namespaceText } from "../cluster/mod.ts";
import { type ParseContext, parseFind, type Rows, withContext } from "../query/mod.ts";
import type { CommandCall } from "./command.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import type { FindArguments } from "./find_arguments.ts";
import type { QueryWork } from "./operation.ts";
import { Tail } from "./tail.ts";

/** Answers a tailable find. */
export async function replyTailable(
  call: CommandCall,
  reply: BsonWriter,
  namespace: Namespace,
  { spec, batchSize }: FindArguments,
  context: ParseContext,
  work: QueryWork,
): Promise<void> {
  const { router } = call.state.services;
  const ns = namespaceText(namespace);
  const followed = router.tail(namespace);
  if (followed === undefined || router.stats(namespace).count === 0) {
    // As MongoDB does: there is no place yet to go on from.
    return await replyFirstBatch(call, reply, {
      namespace: ns,
      rows: rowsOf([]),
      batchSize,
      singleBatch: true,
    });
  }
  const { skip, limit, sort: _, ...conditions } = spec;
  const pipeline = parseFind(conditions, context);
  const tail = new CappedTail(call.args.get("awaitData") === true);
  const read = () => router.queryRows(namespace.db, followed.source, pipeline, work);
  await replyFirstBatch(call, reply, {
    namespace: ns,
    rows: tail.rows(followed, read, { skip: skip ?? 0, limit: limit || Infinity }),
    work,
    batchSize,
    noTimeout: call.args.get("noCursorTimeout") === true,
    tail,
  });
}

class CappedTail extends Tail {
  constructor(override readonly awaitsData: boolean) {
    super();
  }

  /**
   * What there is, and then what comes; an empty batch where there is nothing now.
   *
   * @param read the rows since it was called last
   * @param range what of all rows together is asked for
   */
  async *rows(
    followed: CollectionTail,
    read: () => Rows,
    range: { readonly skip: number; readonly limit: number },
  ): Rows {
    let toSkip = range.skip;
    let left = range.limit;
    const forget = followed.watch(this.notify);
    try {
      for (;;) {
        for await (const batch of left > 0 ? read() : rowsOf([])) {
          const rows = batch.slice(toSkip, toSkip + left);
          toSkip = Math.max(0, toSkip - batch.length);
          left -= rows.length;
          if (rows.length > 0) yield rows;
        }
        if (!this.awaitsData || !await this.wait()) yield [];
      }
    } finally {
      forget();
    }
  }

  override failure(error: unknown): unknown {
    const isLost = error instanceof CommandError && error.codeName === "CappedPositionLost";
    return isLost ? withContext("Executor error during getMore", error) : error;
  }
}

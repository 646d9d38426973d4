/** What an entry of the log says, in one line for a person who looks at the log. */
import { RawDocument } from "../bson/mod.ts";
import { countOfInsert, decodeChange, decodeEffects, documentsFrom, type LogRecord } from "../storage/mod.ts";
import { namespaceText } from "./catalog.ts";
import { counted } from "./check_report.ts";
import {
  collectionFromDocument,
  decodeDatabase,
  decodeDropped,
  decodeMeasurements,
  EntryKind,
} from "./entry.ts";

/** Never throws: a payload that cannot be read says so. */
export function entryText(record: LogRecord): string {
  try {
    return textOf(record);
  } catch (error) {
    return `kind ${record.kind}, its payload cannot be read: ${
      error instanceof Error ? error.message : error
    }`;
  }
}

function textOf({ kind, payload }: LogRecord): string {
  switch (kind) {
    case EntryKind.CollectionCreated:
    case EntryKind.CollectionModified: {
      const info = collectionFromDocument(new RawDocument(payload));
      const verb = kind === EntryKind.CollectionCreated ? "created" : "modified";
      return `collection ${info.id} ${verb}: ${namespaceText(info)}`;
    }
    case EntryKind.CollectionDropped:
      return `collection ${decodeDropped(payload)} dropped`;
    case EntryKind.DatabaseDropped:
      return `database ${decodeDatabase(payload)} dropped`;
    case EntryKind.Measurements: {
      const { tableId, rows } = decodeMeasurements(payload);
      return `collection ${tableId}: ${counted(countOfInsert(rows), "measurement")}`;
    }
    case EntryKind.Changes: {
      const { tableId, rows } = decodeMeasurements(payload);
      const change = decodeChange(rows);
      const spans = change.blocks().reduce((sum, block) => sum + block.count, 0);
      const removed = `${counted(spans, "span")} of measurements removed`;
      return `collection ${tableId}: ${removed}, ${documentsFrom(rows, change.documentsStart).length} added`;
    }
    case EntryKind.Documents: {
      const counts = new Map<number, number>();
      for (const { collectionId } of decodeEffects(payload)) {
        counts.set(collectionId, (counts.get(collectionId) ?? 0) + 1);
      }
      return [...counts].map(([id, count]) => `collection ${id}: ${counted(count, "document")}`).join(", ");
    }
    default:
      return `kind ${kind}`;
  }
}

/**
 * The profiler: which operations of which databases are written down in their `system.profile`, a capped collection. Level 1
 * is for slow ones, a share of them by chance; level 2 for all; a filter over what would be written replaces both rules.
 */
import { CommandError, SLOW_OPERATION_MS } from "../base/mod.ts";
import { BuiltDocument, type Document, encodeDocument, RawDocument } from "../bson/mod.ts";
import { type Namespace } from "../cluster/mod.ts";
import { compileFilter, type Matcher, parseFilter, renderFilter } from "../query/mod.ts";
import { withCapped } from "./capped_options.ts";
import type { Services } from "./services.ts";

export const PROFILE_COLLECTION = "system.profile";
const PROFILE_BYTES = 1024 * 1024;

export type ProfileLevel = 0 | 1 | 2;

interface ProfileFilter {
  readonly matches: Matcher;
  /** As the profile command shows it. */
  readonly shown: Document;
}

interface DatabaseProfile {
  level: ProfileLevel;
  filter: ProfileFilter | undefined;
}

export class Profiler {
  /** Of all databases, as in MongoDB. */
  slowMs = SLOW_OPERATION_MS;
  /** The share of slow operations that are written down, in [0, 1]. */
  sampleRate = 1;
  /** Those that were ever set. */
  private readonly databases = new Map<string, DatabaseProfile>();
  private activeCount = 0;

  constructor(private readonly services: Services) {}

  /** Whether any database is profiled. */
  get isOn(): boolean {
    return this.activeCount > 0;
  }

  levelOf(db: string): ProfileLevel {
    return this.databases.get(db)?.level ?? 0;
  }

  /** The filter of a database as it is shown. */
  filterOf(db: string): Document | undefined {
    return this.databases.get(db)?.filter?.shown;
  }

  setLevel(db: string, level: ProfileLevel): void {
    this.databases.set(db, { filter: undefined, ...this.databases.get(db), level });
    this.activeCount = [...this.databases.values()].filter((each) => each.level > 0).length;
  }

  /** @param filter undefined for none @throws CommandError when it is wrong */
  setFilter(db: string, filter: Document | undefined): void {
    this.databases.set(db, { level: 0, ...this.databases.get(db), filter: filter && parsed(filter) });
  }

  /**
   * Writes an operation down, if it is to be.
   *
   * @param entryOf makes what is written; called only where that may be
   */
  async note(db: string, millis: number, entryOf: () => Document): Promise<void> {
    const { level, filter } = this.databases.get(db) ?? { level: 0 };
    if (level === 0) return;
    const isWanted = filter !== undefined || level === 2 ||
      (millis >= this.slowMs && Math.random() < this.sampleRate);
    if (!isWanted) return;
    const entry = entryOf();
    if (filter !== undefined && !filter.matches(entry)) return;
    try {
      await this.write({ db, collection: PROFILE_COLLECTION }, entry);
    } catch (error) {
      this.services.logger.warn("an operation could not be profiled", { db, error: String(error) });
    }
  }

  private async write(namespace: Namespace, entry: Document): Promise<void> {
    const { router } = this.services;
    if (router.collection(namespace) === undefined) await this.create(namespace);
    const { errors } = await router.insert(namespace, [new RawDocument(encodeDocument(entry))], true);
    if (errors[0] !== undefined) throw errors[0].error;
  }

  private async create(namespace: Namespace): Promise<void> {
    try {
      const options = withCapped(BuiltDocument.EMPTY, PROFILE_BYTES, undefined);
      await this.services.router.createCollection(namespace, { options });
    } catch (error) {
      // Another one was quicker.
      if (!(error instanceof CommandError) || error.codeName !== "NamespaceExists") throw error;
    }
  }
}

function parsed(filter: Document): ProfileFilter {
  const tree = parseFilter(filter);
  return { matches: compileFilter(tree), shown: renderFilter(tree) };
}

/** A collection's validator: which documents it lets pass, and what is said of the others. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, type Document } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import { type Clause, parseClause } from "./clause.ts";
import { clauseDetails, errorDocument } from "./clause_details.ts";

export class Validator {
  private readonly clause: Clause;

  /**
   * @param filter a query, `$jsonSchema` included
   * @throws CommandError for a filter that is wrong, or none that a validator may have
   */
  constructor(filter: Document, context: ParseContext) {
    this.clause = parseClause(filter, context);
  }

  /** Whether a document passes; where the question itself fails, it does not. */
  passes(document: Document): boolean {
    try {
      return this.clause.matches(document);
    } catch (error) {
      if (error instanceof CommandError) return false;
      throw error;
    }
  }

  /** The error that a document gets which does not pass. */
  failure(document: Document): CommandError {
    const extra = {
      errInfo: BuiltDocument.of({ failingDocumentId: document.get("_id"), ...this.told(document) }),
    };
    return new CommandError("DocumentValidationFailure", "Document failed validation", { extra });
  }

  private told(document: Document): { readonly note?: string; readonly details: Document } {
    try {
      return { details: clauseDetails(this.clause, document, false) };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { note: "failed to generate document validation error", details: errorDocument(error) };
    }
  }
}

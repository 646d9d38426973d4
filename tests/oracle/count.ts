/** How many answers of MongoDB's are kept: the cases of each topic, and the lines of those that a room keeps beside its code. */
import { readCaseFile, topics } from "./case_file.ts";

const LINE_FOLDERS = ["src/query/golden/", "src/query/expression/oracle_answers/"];
const REPOSITORY = new URL("../../", import.meta.url);

/** Counts by topic or file. */
export interface AnswerCounts {
  readonly cases: ReadonlyMap<string, number>;
  readonly lines: ReadonlyMap<string, number>;
}

export function countAnswers(): AnswerCounts {
  const lines = LINE_FOLDERS.flatMap((folder) => {
    const files = [...Deno.readDirSync(new URL(folder, REPOSITORY))].map(({ name }) => folder + name);
    return files.filter((file) => file.endsWith(".jsonl")).sort();
  });
  return {
    cases: new Map(topics().map((topic) => [topic, readCaseFile(topic).cases.length])),
    lines: new Map(lines.map((file) => [file, answersIn(Deno.readTextFileSync(new URL(file, REPOSITORY)))])),
  };
}

/** Lines that only set up documents hold no answer. */
function answersIn(text: string): number {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith('{"documents":')).length;
}

/** The counts as lines of text, the sums last. */
export function describeCounts({ cases, lines }: AnswerCounts): string {
  const caseCount = sumOf(cases);
  const lineCount = sumOf(lines);
  return [
    ...[...cases, ...lines].map(([name, count]) => `${String(count).padStart(6)}  ${name}`),
    `${String(caseCount).padStart(6)}  cases of ${cases.size} topics`,
    `${String(lineCount).padStart(6)}  answers kept in lines beside the code`,
    `${String(caseCount + lineCount).padStart(6)}  in all`,
  ].join("\n");
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

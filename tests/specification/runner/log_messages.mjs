/** The lines that the driver logs for a client, and what a test expects of them. */
import { expect } from "./outcome.mjs";
import { match, matches } from "./match.mjs";

/** @param severities by component, as `observeLogMessages` has them; undefined for no log */
export function collectLog(severities) {
  const lines = [];
  let listening = true;
  const options = severities === undefined ? {} : {
    mongodbLogComponentSeverities: severities,
    mongodbLogMaxDocumentLength: 10_000,
    mongodbLogPath: {
      write: ({ t: _time, c: component, s: level, ...data }) => {
        if (listening) lines.push({ component, level: level === "error" ? "error" : level, data });
      },
    },
  };
  return {
    options,
    stop: () => void (listening = false),
    /** @throws Mismatch unless the lines are the expected ones */
    check: (expected, entities) => check(lines, expected, entities),
  };
}

function check(lines, { messages, ignoreMessages = [], ignoreExtraMessages = false }, entities) {
  const seen = lines.filter((line) => !ignoreMessages.some((ignored) => isExpected(ignored, line, entities)));
  messages.forEach(({ component, level, data, failureIsRedacted }, i) => {
    const line = seen[i];
    expect(line !== undefined, `message ${i}: expected ${data.message}, got no more`);
    expect(
      line.component === component && line.level === level,
      `message ${i}: ${line.component} ${line.level}`,
    );
    match(data, line.data, entities, true, `message ${i}`);
    if (failureIsRedacted === undefined) return;
    const redacted = line.data.failure === "(redacted)";
    expect(
      "failure" in line.data && redacted === failureIsRedacted,
      `message ${i}: failure redacted: ${redacted}`,
    );
  });
  if (!ignoreExtraMessages) {
    expect(seen.length <= messages.length, `${messages.length} messages expected, ${seen.length} logged`);
  }
}

function isExpected({ component, level, data }, line, entities) {
  return component === line.component && level === line.level && matches(data, line.data, entities);
}

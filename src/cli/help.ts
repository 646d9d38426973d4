/** What `--help` prints: first what a person asks first. */
import { type Option, OPTION_LIST, variableOf } from "./options.ts";
import { VERSION } from "./version.ts";

/** The whole help text, without a last newline. */
export function helpText(): string {
  return [
    `ChronoGo ${VERSION} — a time-series database that MongoDB drivers, mongosh and Compass speak to.`,
    "",
    "Start it, and connect:",
    "    chronogo                                  serves ./data on port 27017",
    '    mongosh "mongodb://127.0.0.1:27017"       or any MongoDB driver, with the same address',
    "    curl http://127.0.0.1:8080/health         is it up?",
    "    Ctrl-C, or kill -TERM                     stops it cleanly; a second one stops it at once",
    "",
    "Look at the data of a stopped server, and write nothing:",
    "    chronogo check DIR                        is every file of the folder whole?",
    "    chronogo inspect FILE                     what is in a log, catalog, manifest, series or segment file?",
    "",
    "From a checkout, `npx deno@2.9.6 task start` is the same as `chronogo`; flags go behind it.",
    "",
    "Options (a flag wins over its environment variable, that wins over the config file):",
    ...OPTION_LIST.flatMap(optionLines),
    "",
    "Exit codes: 0 stopped cleanly; 1 port in use, folder locked, data damaged …; 2 wrong usage.",
  ].join("\n");
}

function optionLines(option: Option): string[] {
  const value = option.valueName === undefined ? "" : ` ${option.valueName}`;
  const facts = [
    ...(option.defaultText === undefined ? [] : [`default ${option.defaultText}`]),
    ...(option.flagOnly === true ? [] : [variableOf(option.name)]),
  ];
  const head = `  --${option.name}${value}`;
  return [
    facts.length === 0 ? head : `${head.padEnd(32)}  [${facts.join(", ")}]`,
    ...option.explanation.map((line) => `      ${line}`),
  ];
}

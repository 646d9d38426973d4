/** What a test asks of a server, `runOnRequirements`, against what the server says that it is. */
import { sameValue } from "./match.mjs";

/** What the server is. */
export async function readServer(client) {
  const admin = client.db("admin");
  const hello = await admin.command({ hello: 1 });
  const { versionArray } = await admin.command({ buildInfo: 1 });
  const parameters = await admin.command({ getParameter: "*" });
  const topology = hello.msg === "isdbgrid"
    ? "sharded"
    : hello.setName === undefined
    ? "single"
    : "replicaset";
  return { version: versionArray.slice(0, 3), topology, parameters };
}

/** Why none of the requirements is met; undefined when one is, or there are none. */
export function unmet(requirements, server) {
  if (requirements === undefined || requirements.length === 0) return undefined;
  const reasons = requirements.map((requirement) => unmetOne(requirement, server));
  return reasons.includes(undefined) ? undefined : [...new Set(reasons)].join("; or ");
}

function unmetOne(requirement, server) {
  for (const [name, wanted] of Object.entries(requirement)) {
    const reason = CHECKS[name] === undefined ? `unknown requirement ${name}` : CHECKS[name](wanted, server);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Each gives the reason why it is not met, or undefined. */
const CHECKS = {
  minServerVersion: (wanted, { version }) =>
    compareVersions(version, wanted) >= 0 ? undefined : `from ${wanted}`,
  maxServerVersion: (wanted, { version }) =>
    compareVersions(version, wanted) <= 0 ? undefined : `up to ${wanted}`,
  topologies: (wanted, { topology }) =>
    wanted.includes(topology) || (topology === "sharded" && wanted.includes("sharded-replicaset"))
      ? undefined
      : `for ${wanted.join(", ")}`,
  serverless: (wanted) => wanted === "require" ? "for serverless" : undefined,
  auth: (wanted) => wanted ? "with access control" : undefined,
  authMechanism: (wanted) => `with ${wanted}`,
  csfle: (wanted) => wanted === false ? undefined : "with client-side encryption",
  serverParameters: (wanted, { parameters }) => {
    const other = Object.keys(wanted).filter((name) => !sameValue(wanted[name], parameters[name]));
    return other.length === 0
      ? undefined
      : `with ${other.map((name) => `${name} ${JSON.stringify(wanted[name])}`).join(", ")}`;
  },
};

function compareVersions(version, text) {
  const parts = text.split(".").map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = version[i] - (parts[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

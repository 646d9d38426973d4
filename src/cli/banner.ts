/** What the server says on stdout once it serves. Tests and scripts may rely on the words before the colons. */
import { addressText, isOpenToOthers, type ListenAddress, localAddress } from "./address.ts";
import type { Started } from "./message.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

/** The banner, line by line. */
export function bannerLines(settings: Settings, started: Started): string[] {
  const { found } = started;
  return [
    `ChronoGo ${VERSION}`,
    `  MongoDB wire:  ${listeningText(started.mongo)}`,
    `  HTTP:          ${listeningText(started.http)}`,
    `  data folder:   ${settings.dataDir}`,
    `  found:         ${count(found.databases, "database")}, ${count(found.collections, "collection")}, ` +
    `${count(found.series, "series", "series")}, ${count(found.rows, "row")}`,
    `  recovery:      ${Math.round(found.recoveryMs)} ms`,
    `  durability:    ${durabilityText(settings)}`,
    ...protectionLines(settings, started),
    `  connect:       mongosh "mongodb://${addressText(localAddress(started.mongo))}"`,
    "ready",
  ];
}

function listeningText(address: ListenAddress): string {
  const isWildcard = address.hostname === "::" || address.hostname === "0.0.0.0";
  return isWildcard ? `${addressText(address)} (all interfaces)` : addressText(address);
}

function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}

function durabilityText(settings: Settings): string {
  return settings.durability === "commit"
    ? "commit (on disk before it is acknowledged)"
    : "interval (on disk within 100 ms; a crash may lose that)";
}

function protectionLines(settings: Settings, started: Started): string[] {
  const warning = protectionWarning(settings.insecure, started.mongo) ??
    protectionWarning(settings.insecure, started.http);
  return warning === undefined ? [] : [`  WARNING:       ${warning}`];
}

/** What somebody must know who can be reached from other machines; undefined for an address on loopback. */
export function protectionWarning(insecure: boolean, address: ListenAddress): string | undefined {
  if (!isOpenToOthers(address)) return undefined;
  return insecure
    ? "--insecure: everybody who can reach these addresses can read and change all data"
    : "protected mode: only this machine is served, until --insecure lifts that";
}

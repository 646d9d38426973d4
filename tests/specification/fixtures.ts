/**
 * Where the specifications' tests are: in the checkout that CHRONOGO_SPECIFICATIONS names, or else in a folder that git does
 * not see, into which one commit's archive is unpacked the first time.
 */
import type { Suite } from "./suites.ts";

const COMMIT = "92b3c0b9287bfba1b0ec4084300858d05c654f8c";
const ARCHIVE = `https://codeload.github.com/mongodb/specifications/tar.gz/${COMMIT}`;
const FOLDER = new URL("./.installed/", import.meta.url).pathname;

/** The folder that holds `source/`. @throws Error when there is none and none can be had */
export async function findFixtures(): Promise<string> {
  const named = Deno.env.get("CHRONOGO_SPECIFICATIONS");
  if (named !== undefined && named !== "") {
    if (isFolder(`${named}/source`)) return named;
    throw new Error(`CHRONOGO_SPECIFICATIONS "${named}" is no checkout of mongodb/specifications`);
  }
  const folder = `${FOLDER}specifications-${COMMIT}`;
  if (!isFolder(`${folder}/source`)) await download();
  return folder;
}

/** The files of a suite, sorted. */
export function filesOf(fixtures: string, suite: Suite): readonly string[] {
  const folder = `${fixtures}/source/${suite.folder}`;
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".json")).sort()
    .map((name) => `${folder}/${name}`);
}

async function download(): Promise<void> {
  console.error(`downloading ${ARCHIVE} (once)`);
  const answer = await fetch(ARCHIVE).catch((error) => {
    throw new Error(
      `${error.message}: let CHRONOGO_SPECIFICATIONS name a checkout of mongodb/specifications`,
    );
  });
  if (!answer.ok || answer.body === null) {
    throw new Error(`${ARCHIVE}: ${answer.status} ${answer.statusText}`);
  }
  Deno.mkdirSync(FOLDER, { recursive: true });
  const tar = new Deno.Command("tar", { args: ["-xz", "-C", FOLDER], stdin: "piped" }).spawn();
  await answer.body.pipeTo(tar.stdin);
  if (!(await tar.status).success) throw new Error(`cannot unpack ${ARCHIVE}`);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

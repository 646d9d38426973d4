/** `logout`: forgets who is logged in; nobody is. */
import type { Command } from "./command.ts";

export const logout: Command = {
  name: "logout",
  help: "de-authenticate",
  run: () => {},
};

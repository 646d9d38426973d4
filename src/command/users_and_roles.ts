/** `usersInfo`, `rolesInfo`, `invalidateUserCache`: there are no users yet, and no roles but those that MongoDB is born with. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, BuiltDocument, Document, isArray, isNumber, typeOf, type Value } from "../bson/mod.ts";
import { parseFilter } from "../query/mod.ts";
import { checkFields, type FieldTable, numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const USERS_FIELDS: FieldTable = {
  usersInfo: "any",
  showPrivileges: "flag",
  showCredentials: "flag",
  showCustomData: "flag",
  showAuthenticationRestrictions: "flag",
  filter: "object",
};
const ROLES_FIELDS: FieldTable = {
  rolesInfo: "any",
  showPrivileges: "any",
  showBuiltinRoles: "flag",
  showAuthenticationRestrictions: "flag",
};
const AS_USER_FRAGMENT = "asUserFragment";
/** Of every database. */
const ROLES = ["dbAdmin", "dbOwner", "enableSharding", "read", "readWrite", "userAdmin"];
/** Of admin alone. */
const ADMIN_ROLES = [
  "__queryableBackup",
  "__system",
  "backup",
  "clusterAdmin",
  "clusterManager",
  "clusterMonitor",
  "dbAdminAnyDatabase",
  "directShardOperations",
  "hostManager",
  "readAnyDatabase",
  "readWriteAnyDatabase",
  "restore",
  "root",
  "userAdminAnyDatabase",
];

export const usersInfo: Command = {
  name: "usersInfo",
  help: "who may connect: nobody is known by name yet",
  run: (call, reply) => {
    const { args } = call;
    checkFields(args, "usersInfo", USERS_FIELDS, isGenericArgument);
    const asked = args.get("usersInfo");
    const isSome = !isAll(asked) && !(asked instanceof Document && isTrue(asked.get("forAllDBs")));
    if (isArray(asked) && asked.length === 0) {
      throw new CommandError("BadValue", "$and/$or/$nor must be a nonempty array");
    }
    if (isSome) namesOf(asked, call.db, "UserName", "user");
    if (!isSome && (args.flag("showPrivileges") || args.flag("showAuthenticationRestrictions"))) {
      const text = "Privilege or restriction details require exact-match usersInfo queries";
      throw new CommandError("IllegalOperation", text);
    }
    const filter = args.document("filter");
    if (filter !== undefined) parseFilter(filter);
    reply.value("users", []);
  },
};

export const rolesInfo: Command = {
  name: "rolesInfo",
  help: "the roles that there are",
  run: (call, reply) => {
    const { args, db } = call;
    checkFields(args, "rolesInfo", ROLES_FIELDS, isGenericArgument);
    const asked = args.get("rolesInfo");
    const isEvery = isAll(asked);
    const names = isEvery ? [] : namesOf(asked, db, "RoleName", "role");
    const found = names.filter((role) => rolesOf(role.db).includes(role.name));
    if (showsPrivileges(call) && found.length > 0) {
      throw new CommandError("NotImplemented", "the privileges of roles are not implemented yet");
    }
    if (isEvery && args.flag("showBuiltinRoles")) {
      return reply.value(
        "roles",
        rolesOf(db).map((role) => inList(role, db)),
      );
    }
    if (args.get("showPrivileges") !== AS_USER_FRAGMENT) return reply.value("roles", found.map(alone));
    reply.value("userFragment", BuiltDocument.of({ roles: [], inheritedRoles: [], inheritedPrivileges: [] }));
  },
};

export const invalidateUserCache: Command = {
  name: "invalidateUserCache",
  help: "forget what is remembered of users: nothing is",
  run: ({ args }) =>
    checkFields(args, "invalidateUserCache", { invalidateUserCache: "any" }, isGenericArgument),
};

function isAll(asked: Value): boolean {
  return isNumber(asked) && numberOf(asked) === 1;
}

function isTrue(value: Value): boolean {
  return value === true || (isNumber(value) && numberOf(value) !== 0);
}

function showsPrivileges({ args }: CommandCall): boolean {
  const shown = args.get("showPrivileges");
  if (shown === undefined || typeof shown === "boolean") return shown === true;
  if (isNumber(shown)) return numberOf(shown) !== 0;
  if (shown === AS_USER_FRAGMENT) return true;
  const text =
    "Failed to parse 'showPrivileges'. 'showPrivileges' should either be a boolean or the string " +
    `'${AS_USER_FRAGMENT}', given: showPrivileges: ${
      typeof shown === "string" ? `"${shown}"` : aliasOfType(typeOf(shown))
    }`;
  throw new CommandError("BadValue", text);
}

interface Name {
  readonly name: string;
  readonly db: string;
}

/** @throws CommandError for what is no name. @param kind what MongoDB calls them. @param field which of a name in a document it is */
function namesOf(asked: Value, db: string, kind: string, field: string): readonly Name[] {
  if (isArray(asked)) return asked.map((each) => nameOf(each, db, kind, field));
  return [nameOf(asked, db, kind, field)];
}

function nameOf(asked: Value, db: string, kind: string, field: string): Name {
  if (typeof asked === "string") return { name: asked, db };
  if (!(asked instanceof Document)) throw badName(kind, "must be either a string or an object");
  const part = (name: string) => {
    const value = asked.get(name);
    if (value === undefined) throw badName(kind, `must contain a field named: ${name}`);
    if (typeof value === "string") return value;
    throw badName(
      kind,
      `must contain a string field named: ${name}. But, has type ${aliasOfType(typeOf(value))}`,
    );
  };
  return { name: part(field), db: part("db") };
}

function badName(kind: string, what: string): CommandError {
  return new CommandError("BadValue", `${kind} ${what}`);
}

function rolesOf(db: string): readonly string[] {
  return db === "admin" ? [...ROLES, ...ADMIN_ROLES] : ROLES;
}

function inList(role: string, db: string): Document {
  return BuiltDocument.of({ role, db, isBuiltin: true, roles: [], inheritedRoles: [] });
}

function alone({ name, db }: Name): Document {
  return BuiltDocument.of({ db, role: name, roles: [], inheritedRoles: [], isBuiltin: true });
}

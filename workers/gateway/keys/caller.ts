/** Who a credential belongs to, and what they may do. */
export type Caller =
  | { kind: "admin"; application: string; keyId: string; development: boolean }
  | { kind: "client"; application: string; keyId: string; development: boolean }
  | { kind: "person"; application: string; userId: string };

/**
 * Who may call an operation. `admin`: admin keys. `client`: and client keys. `anyone`: and tokens of people.
 * `self`: and the token of the very person in the path.
 */
export type Access = "admin" | "client" | "anyone" | "self";

/** Whether a caller may do what is open to `access`; `userId` is the person in the path. */
export function mayCall(caller: Caller, access: Access, userId: string | undefined): boolean {
  if (caller.kind === "admin") return true;
  if (caller.kind === "client") return access !== "admin";
  return access === "anyone" || (access === "self" && caller.userId === userId);
}

/** Whether a caller may act for a person. */
export const mayActFor = (caller: Caller, userId: string): boolean =>
  caller.kind !== "person" || caller.userId === userId;

/** Admin key of local commands. The gateway accepts it only in a state that a local command made. */
export const developmentKey = "dev-admin-key";

/** What a caller is told whose token ended with its user. */
export const endedTokenText =
  "The token was issued before its user was erased or merged into another user, and ended with that; get a new one, after " +
  "a merge for the other user.";

export { UserSession } from "./user-session.ts";

/** The worker runs users' objects only, which other workers call by a binding: every public HTTP request gets 404. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;

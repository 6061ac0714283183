import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { pageHeaders } from "../middleware/security-headers.ts";

/** Adds the static pages: the playground, the API reference and the operations page. */
export function addPageRoutes(app: Gateway, dependencies: Dependencies): void {
  for (const path of ["/", "/docs", "/ops", "/assets/:file"])
    app.get(path, pageHeaders, async (c) => {
      const answer = await dependencies.pages.fetch(c.req.raw);
      if (answer.status === 404) return c.notFound();
      return new Response(answer.body, answer);
    });
}

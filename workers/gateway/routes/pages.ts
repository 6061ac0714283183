import type { Gateway } from "../context.ts";
import { pageHeaders } from "../middleware/security-headers.ts";
import type { Ports } from "../ports.ts";

/** The playground, the manual and the operations page: static files that live beside the API. */
export function pages(app: Gateway, ports: Ports): void {
  for (const path of ["/", "/docs", "/ops", "/assets/:file"])
    app.get(path, pageHeaders, async (c) => {
      const answer = await ports.pages.fetch(c.req.raw);
      if (answer.status === 404) return c.notFound();
      return new Response(answer.body, answer);
    });
}

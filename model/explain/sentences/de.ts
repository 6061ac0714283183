import { joinWith, type SentenceTemplates } from "./sentence-templates.ts";

/** German sentences. */
export const de: SentenceTemplates = {
  locale: "de",
  sentence: (title, because) => `„${title}“ wird empfohlen, weil ${because}.`,
  withoutReason: (title) =>
    `„${title}“ wird empfohlen, weil das Produkt unter den gefundenen gut bewertet ist.`,
  join: joinWith("und"),
  distance: (text) => `es ${text} entfernt ist`,
  reasons: {
    chosen_before: "Sie es schon einmal gewählt haben",
    your_usual_time: "Sie es oft um diese Zeit wählen",
    next_after_your_last: "Sie es oft nach Ihrer letzten Wahl wählen",
    followed_by_others: "andere es oft nach Ihrer letzten Wahl wählen",
    category_you_like: "Sie oft aus dieser Kategorie wählen",
    near_you: "es in Ihrer Nähe ist",
    near_your_usual_places: "es in der Nähe von Orten ist, an denen Sie oft sind",
    popular: "viele Menschen es wählen",
    trending: "viele Menschen es in letzter Zeit gewählt haben",
    discounted: "der Preis reduziert ist",
  },
  rules: {
    boost: "der Shop diese Kategorie hervorhebt",
    boosts: "der Shop Produkte wie dieses hervorhebt",
    pin: "der Shop es an diese Stelle setzt",
    exploration: "der Shop neue Vorschläge ausprobiert",
  },
};

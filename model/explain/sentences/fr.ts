import { joinWith, type SentenceTemplates } from "./sentence-templates.ts";

/** French sentences. No clause begins with a vowel, before which `parce que` changes. */
export const fr: SentenceTemplates = {
  locale: "fr",
  sentence: (title, because) => `« ${title} » est recommandé parce que ${because}.`,
  withoutReason: (title) =>
    `« ${title} » est recommandé parce que ce produit obtient un bon score parmi ceux qui ont été trouvés.`,
  join: joinWith("et"),
  distance: (text) => `ce produit se trouve à ${text}`,
  reasons: {
    chosen_before: "vous avez déjà choisi ce produit",
    your_usual_time: "vous choisissez souvent ce produit à cette heure",
    next_after_your_last: "vous choisissez souvent ce produit après votre dernier choix",
    followed_by_others: "ce produit est souvent choisi par d’autres après votre dernier choix",
    category_you_like: "vous choisissez souvent dans cette catégorie",
    near_you: "ce produit est près de vous",
    near_your_usual_places: "ce produit est près des lieux où vous êtes souvent",
    popular: "beaucoup de personnes choisissent ce produit",
    trending: "beaucoup de personnes ont choisi ce produit récemment",
    discounted: "son prix est réduit",
  },
  rules: {
    boost: "la boutique met cette catégorie en avant",
    boosts: "la boutique met en avant des produits comme celui-ci",
    pin: "la boutique le place à cet endroit",
    exploration: "la boutique essaie de nouvelles suggestions",
  },
};

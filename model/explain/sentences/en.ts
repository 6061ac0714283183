import { joinWith, type SentenceTemplates } from "./sentence-templates.ts";

/** English sentences. */
export const en: SentenceTemplates = {
  locale: "en",
  sentence: (title, because) => `“${title}” is recommended because ${because}.`,
  withoutReason: (title) => `“${title}” is recommended because it scores well among the products found.`,
  join: joinWith("and"),
  distance: (text) => `it is ${text} away`,
  reasons: {
    chosen_before: "you chose it before",
    your_usual_time: "you often choose it at this time",
    next_after_your_last: "you often choose it after your last choice",
    followed_by_others: "others often choose it after your last choice",
    category_you_like: "you often choose from its category",
    near_you: "it is near you",
    near_your_usual_places: "it is near places where you often are",
    popular: "many people choose it",
    trending: "many people have chosen it recently",
    discounted: "its price is reduced",
  },
  rules: {
    boost: "the shop features its category",
    boosts: "the shop features products like it",
    pin: "the shop puts it at this place",
    exploration: "the shop tries out new suggestions",
  },
};

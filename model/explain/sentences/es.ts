import { joinWith, type SentenceTemplates } from "./sentence-templates.ts";

/** Spanish sentences. */
export const es: SentenceTemplates = {
  locale: "es",
  sentence: (title, because) => `Se recomienda «${title}» porque ${because}.`,
  withoutReason: (title) =>
    `Se recomienda «${title}» porque obtiene una buena puntuación entre los productos encontrados.`,
  join: joinWith("y"),
  distance: (text) => `está a ${text}`,
  reasons: {
    chosen_before: "usted ya lo eligió antes",
    your_usual_time: "usted suele elegirlo a esta hora",
    next_after_your_last: "usted suele elegirlo después de su última elección",
    followed_by_others: "otras personas suelen elegirlo después de la última elección de usted",
    category_you_like: "usted suele elegir productos de esta categoría",
    near_you: "está cerca de usted",
    near_your_usual_places: "está cerca de los lugares donde usted suele estar",
    popular: "muchas personas lo eligen",
    trending: "muchas personas lo han elegido últimamente",
    discounted: "su precio está rebajado",
  },
  rules: {
    boost: "la tienda destaca esta categoría",
    boosts: "la tienda destaca productos como este",
    pin: "la tienda lo coloca en este lugar",
    exploration: "la tienda prueba sugerencias nuevas",
  },
};

import type { TrainingList } from "../features/batch.ts";

/** Weight of the pointwise loss, which calibrates, relative to the listwise loss, which ranks. */
export const pointwiseLossWeight = 0.2;
/** Weight of the purchase head's loss relative to the engagement head's. */
export const purchaseLossWeight = 0.5;

/** Smallest probability in the pointwise loss, which keeps its logarithm finite. */
const minProbability = 1e-7;

/** The smallest examination by which an outcome is divided: it bounds the weight of one outcome. */
const minExamined = 0.1;

/** The outcomes of a list and what its user saw of it. */
export type ListTargets = Pick<
  TrainingList,
  "engage" | "purchase" | "candidatesRepresented" | "pointwiseWeights" | "examined"
>;

/** A head of the network. */
type Head = "engage" | "purchase";

/** Factors on the listwise loss of each head. */
export type ListwiseScales = Record<Head, number>;
export const noScales: ListwiseScales = { engage: 1, purchase: 1 };

/** Returns the weight of the outcome of a row in the listwise loss, if the examination is known. */
const outcomeWeight = (target: number, examined: number): number => target / Math.max(minExamined, examined);

/**
 * Returns the factors by which the listwise losses of the lists of one step are multiplied, so that their outcomes together
 * weigh as much as lists with an outcome: inverse propensities are self-normalized (Swaminathan and Joachims, "The
 * Self-Normalized Estimator for Counterfactual Learning", NeurIPS 2015). 1 for lists whose examination is not known.
 */
export function listwiseScales(lists: readonly (ListTargets & { weight: number })[]): ListwiseScales {
  const scaleOf = (head: Head): number => {
    let mass = 0;
    let withOutcome = 0;
    for (const { [head]: targets, examined, weight } of lists) {
      if (!examined) continue;
      const sum = targets.reduce((total, each, i) => total + outcomeWeight(each, examined[i]), 0);
      mass += weight * sum;
      withOutcome += sum > 0 ? weight : 0;
    }
    return mass === 0 ? 1 : withOutcome / mass;
  };
  return { engage: scaleOf("engage"), purchase: scaleOf("purchase") };
}

/**
 * Returns the loss of one head and adds its gradient to `gradient`.
 *
 * The listwise part is softmax cross entropy (Cao et al., "Learning to Rank: From Pairwise Approach to Listwise
 * Approach", ICML 2007, top one): minus the sum of targets, normalized to one, times the log softmax of the logits. A
 * row that represents several candidates counts as many times in the softmax (importance sampling: Bengio and Senecal,
 * "Adaptive Importance Sampling to Accelerate Training of a Neural Probabilistic Language Model", IEEE TNN 2008).
 *
 * The pointwise part is the sum of the rows' binary cross entropies, times {@link pointwiseLossWeight}. A list without
 * a target has only the pointwise part.
 *
 * If it is known how often users look at the rows, each outcome counts by the inverse of it in the listwise part, times
 * `scale` (Joachims, Swaminathan and Schnabel, WSDM 2017; for softmax: Oosterhuis and de Rijke, SIGIR 2020). So a product
 * counts as much wherever it was shown. The pointwise part is the likelihood of a look and an outcome together, so the
 * head's probability is that of an outcome of a product that is looked at as often as the first position: the same for all
 * positions, and calibrated without inverse weights.
 */
function headLoss(
  head: Head,
  { data: logits, grad: gradient }: { data: Float32Array; grad: Float32Array },
  { [head]: targets, candidatesRepresented, pointwiseWeights, examined }: ListTargets,
  weight: number,
  scale: number,
): number {
  const n = logits.length;
  let maxLogit = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let i = 0; i < n; i++) {
    maxLogit = Math.max(maxLogit, logits[i]);
    total += examined ? outcomeWeight(targets[i], examined[i]) : targets[i];
  }
  const mass = examined ? scale * total : 1;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += candidatesRepresented[i] * Math.exp(logits[i] - maxLogit);
  const logSum = Math.log(sum) + maxLogit;
  let loss = 0;
  for (let i = 0; i < n; i++) {
    if (total > 0) {
      const target = examined ? scale * outcomeWeight(targets[i], examined[i]) : targets[i] / total;
      loss -= target * (logits[i] - logSum);
      gradient[i] += weight * (mass * candidatesRepresented[i] * Math.exp(logits[i] - logSum) - target);
    }
    const pointwise = pointwiseWeights ? pointwiseLossWeight * pointwiseWeights[i] : pointwiseLossWeight;
    const { value, slope } = outcomeLoss(logits[i], targets[i], examined ? examined[i] : 1);
    loss += pointwise * value;
    gradient[i] += weight * pointwise * slope;
  }
  return weight * loss;
}

/**
 * Returns minus the log likelihood of an outcome (0 or 1) that comes if a row is looked at, with the probability `examined`,
 * and then with the probability of the logit; and its derivative by the logit.
 */
export function outcomeLoss(
  logit: number,
  outcome: number,
  examined: number,
): { value: number; slope: number } {
  const probability = 1 / (1 + Math.exp(-logit));
  // More looks than one cannot be: positions that users look at more often than at the first one count like it.
  const looks = Math.min(1, examined);
  if (outcome > 0.5)
    return { value: -Math.log(Math.max(minProbability, looks * probability)), slope: probability - 1 };
  const none = 1 - looks * probability;
  const slope = looks === 1 ? probability : (looks * probability * (1 - probability)) / none;
  return { value: -Math.log(Math.max(minProbability, none)), slope };
}

/**
 * Returns the loss of one list over both heads, and adds the gradients with respect to the logits. `scales` are those of the
 * lists of the step, see {@link listwiseScales}.
 */
export function listLoss(
  engage: { data: Float32Array; grad: Float32Array },
  purchase: { data: Float32Array; grad: Float32Array },
  targets: ListTargets,
  weight: number,
  scales: ListwiseScales = noScales,
): number {
  return (
    headLoss("engage", engage, targets, weight, scales.engage) +
    headLoss("purchase", purchase, targets, weight * purchaseLossWeight, scales.purchase)
  );
}

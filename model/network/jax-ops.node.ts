import { nn, numpy as np } from "@jax-js/jax";
import { maxStandardized, type Ops } from "./ops.ts";

/** A matrix of jax-js. Its functions free their arguments; `ref` keeps an argument for another use. */
export type JaxMatrix = np.Array;

/** Runs the network on jax-js, an independent library with its own automatic differentiation, to check the tape. */
export class JaxOps implements Ops<JaxMatrix> {
  readonly #parameters: Record<string, JaxMatrix>;

  constructor(parameters: Record<string, JaxMatrix>) {
    this.#parameters = parameters;
  }

  parameter(name: string): JaxMatrix {
    return this.#parameters[name];
  }

  linear(x: JaxMatrix, w: JaxMatrix, b?: JaxMatrix): JaxMatrix {
    const product = np.matmul(x.ref, w.ref);
    return b ? product.add(b.ref) : product;
  }

  relu(x: JaxMatrix): JaxMatrix {
    return nn.relu(x.ref);
  }

  add(a: JaxMatrix, b: JaxMatrix): JaxMatrix {
    return a.ref.add(b.ref);
  }

  multiply(a: JaxMatrix, b: JaxMatrix): JaxMatrix {
    return a.ref.mul(b.ref);
  }

  standardize(x: JaxMatrix, mean: JaxMatrix, scale: JaxMatrix): JaxMatrix {
    return np.clip(x.ref.sub(mean.ref).mul(scale.ref), -maxStandardized, maxStandardized);
  }

  gather(table: JaxMatrix, indices: JaxMatrix): JaxMatrix {
    return np.take(table.ref, indices.ref, 0);
  }

  similarity(a: JaxMatrix, b: JaxMatrix): JaxMatrix {
    return np.matmul(a.ref, np.transpose(b.ref));
  }

  column(x: JaxMatrix, column: number, h: number): JaxMatrix {
    return x.ref.slice([], column).reshape([-1, h]);
  }

  reshape(x: JaxMatrix, columns: number): JaxMatrix {
    return x.ref.reshape([-1, columns]);
  }

  maskedSoftmax(logits: JaxMatrix, mask: JaxMatrix): JaxMatrix {
    const present = np.greater(mask.ref, 0);
    const weights = nn.softmax(np.where(present.ref, logits.ref, -1e9), 1);
    return np.where(present, weights, 0);
  }

  pool(weights: JaxMatrix, values: JaxMatrix): JaxMatrix {
    const [n, h] = weights.shape;
    return np.einsum("nh,nha->na", weights.ref, values.ref.reshape([n, h, -1]));
  }

  concat(parts: JaxMatrix[]): JaxMatrix {
    return np.concatenate(
      parts.map((part) => part.ref),
      1,
    );
  }
}

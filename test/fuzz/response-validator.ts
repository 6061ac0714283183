import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { OpenApiDocument, OpenApiOperation } from "./openapi-document.ts";

/** An answer, as it came. */
export interface FuzzResponse {
  status: number;
  headers: Headers;
  text: string;
}

/** What every answer carries. */
const requiredHeaders = ["x-request-id", "server-timing", "x-content-type-options"] as const;

/** Judges answers by what the document says of their operation. */
export class ResponseValidator {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: false });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "document", components: document.components });
  }

  #validator(schema: object): ValidateFunction {
    const known = this.#validators.get(schema);
    if (known) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
    const made = this.#ajv.compile(JSON.parse(text));
    this.#validators.set(schema, made);
    return made;
  }

  /** What is wrong with an answer; null where it is as the document says. */
  findViolation({ responses }: OpenApiOperation, { status, headers, text }: FuzzResponse): string | null {
    if (status >= 500 && !(`${status}` in responses)) return `status ${status}: ${text}`;
    const missing = requiredHeaders.filter((name) => !headers.has(name));
    if (missing.length > 0) return `no ${missing.join(", ")}`;
    const response = responses[String(status)] ?? (status >= 400 ? responses.default : undefined);
    if (!response) return `status ${status} is not in the document`;
    const [type = "", parameter] = (headers.get("content-type") ?? "").split(";");
    const kinds = Object.keys(response.content ?? {});
    if (kinds.length === 0)
      return text === "" || status === 426 ? null : `a body where none is: ${text.slice(0, 200)}`;
    if (!kinds.some((kind) => kind === type || (kind.endsWith("/*") && type.startsWith(kind.slice(0, -1)))))
      return `content type ${type} instead of ${kinds.join(" or ")}`;
    const schema = response.content?.[type]?.schema;
    if (!schema || !type.endsWith("json")) return null;
    if (parameter?.includes("charset") && !parameter.toLowerCase().includes("utf-8"))
      return `charset ${parameter}`;
    const body: unknown = JSON.parse(text);
    const validate = this.#validator(schema);
    if (!validate(body)) return `${this.#ajv.errorsText(validate.errors)} in ${text.slice(0, 400)}`;
    if (type === "application/problem+json" && Reflect.get(body as object, "status") !== status)
      return "the problem names another status";
    return null;
  }
}

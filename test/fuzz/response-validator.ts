import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { OpenApiDocument, OpenApiOperation } from "./openapi-document.ts";

/** A response with its body as text. */
export interface FuzzResponse {
  status: number;
  headers: Headers;
  text: string;
}

/** Headers that every response must have. */
const requiredHeaders = ["x-request-id", "server-timing", "x-content-type-options"] as const;

/** Checks responses against the OpenAPI document. */
export class ResponseValidator {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: false });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "document", components: document.components });
  }

  #validator(schema: object): ValidateFunction {
    const cached = this.#validators.get(schema);
    if (cached) return cached;
    const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
    const validator = this.#ajv.compile(JSON.parse(text));
    this.#validators.set(schema, validator);
    return validator;
  }

  /** Returns how a response violates the document; null if it does not. */
  findViolation({ responses }: OpenApiOperation, { status, headers, text }: FuzzResponse): string | null {
    if (status >= 500 && !(`${status}` in responses)) return `unlisted server error ${status}: ${text}`;
    const missing = requiredHeaders.filter((name) => !headers.has(name));
    if (missing.length > 0) return `missing headers: ${missing.join(", ")}`;
    const response = responses[String(status)] ?? (status >= 400 ? responses.default : undefined);
    if (!response) return `the document does not list status ${status}`;
    const [type = "", parameter] = (headers.get("content-type") ?? "").split(";");
    const contentTypes = Object.keys(response.content ?? {});
    if (contentTypes.length === 0)
      return text === "" || status === 426
        ? null
        : `the document lists no body for status ${status}, but the response has one: ${text.slice(0, 200)}`;
    if (
      !contentTypes.some(
        (listed) => listed === type || (listed.endsWith("/*") && type.startsWith(listed.slice(0, -1))),
      )
    )
      return `content type is ${type}; the document lists ${contentTypes.join(" or ")}`;
    const schema = response.content?.[type]?.schema;
    if (!schema || !type.endsWith("json")) return null;
    if (parameter?.includes("charset") && !parameter.toLowerCase().includes("utf-8"))
      return `charset must be utf-8, not ${parameter}`;
    const body: unknown = JSON.parse(text);
    const validate = this.#validator(schema);
    if (!validate(body)) return `${this.#ajv.errorsText(validate.errors)} in ${text.slice(0, 400)}`;
    if (type === "application/problem+json" && Reflect.get(body as object, "status") !== status)
      return `status in the problem body must be ${status}: ${text.slice(0, 200)}`;
    return null;
  }
}

/** The ext fields of a JSON header, as parsed. Numbers and booleans from lenient peers become text; null is absent. */
import type { ExtFields } from "./remoting-command.ts";

export class JsonExt implements ExtFields {
  readonly #members: Record<string, unknown>;

  constructor(members: Record<string, unknown>) {
    this.#members = members;
  }

  get(name: string): string | undefined {
    return Object.hasOwn(this.#members, name) ? text(this.#members[name]) : undefined;
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const name of Object.keys(this.#members)) {
      const value = text(this.#members[name]);
      if (value !== undefined) visit(name, value);
    }
  }
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

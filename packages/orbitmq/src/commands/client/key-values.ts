/** `key=value` arguments. */
import { ServerError } from "../../server-error.ts";

/** Throws ServerError USAGE. */
export function keyValues(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new ServerError("USAGE", `${text}: expected key=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

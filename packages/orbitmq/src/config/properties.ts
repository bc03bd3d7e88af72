/**
 * Reads the text of a `broker.conf`: the format of java.util.Properties, which RocketMQ's own files are written in
 * (wire's java-properties), with errors that name file and line.
 */
import { type JavaProperty, parseJavaProperties, WireError } from "@orbitmq/wire";
import { ServerError } from "../server-error.ts";

export type PropertyEntry = JavaProperty;

/** Entries in the order of the file; a key given twice appears twice (the last one counts). `name` is for errors. */
export function parseProperties(text: string, name: string): PropertyEntry[] {
  try {
    return parseJavaProperties(text, name);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ServerError("CONFIG_INVALID", error.message, { cause: error });
  }
}

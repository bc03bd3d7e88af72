/** An option that may be given several times. */
import { Option } from "commander";

/** Its value is the list of what was given, in order. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([] as string[], "none")
    .argParser((value: string, earlier: string[]) => [...earlier, value]);
}

/** What this process is configured with, for administrators; whoever composes the process has it. */
export interface ConfigurationPort {
  /** Everything, as java.util.Properties text. */
  text(): string;
  /** A DataVersion as JSON; it advances with every change. */
  version(): string;
  /** Changes what the properties text says, all or nothing; returns why not. `by` is the caller's address, for the log. */
  update(properties: Uint8Array, by: string): { readonly code: number; readonly remark: string } | undefined;
}

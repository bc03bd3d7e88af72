/** One log record as a line for people: time (UTC), level, message, then what belongs to it as key=value. */

const shown = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return typeof value === "string" && /^[^\s"=]+$/.test(text) ? text : JSON.stringify(value);
};

/** `json`: one record as pino writes it. Ends in a newline; a stack follows on lines of its own, indented. */
export function textLine(json: string): string {
  const { level, time, msg, err, error, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const failure = (err ?? error) as { message?: string; code?: string; stack?: string } | undefined;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`);
  const parts = [
    String(time),
    String(level).toUpperCase().padEnd(5),
    ...(msg ? [String(msg)] : []),
    ...pairs,
  ];
  if (failure === undefined) return `${parts.join(" ")}\n`;
  const code = failure.code === undefined ? "" : ` (${failure.code})`;
  parts.push(`${msg ? "· " : ""}${failure.message ?? shown(failure)}${code}`);
  const wantsStack = level === "error" || level === "fatal";
  const stack = wantsStack ? (failure.stack ?? "").split("\n").slice(1) : [];
  return `${[parts.join(" "), ...stack].join("\n")}\n`;
}

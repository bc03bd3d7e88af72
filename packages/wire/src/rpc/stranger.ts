/** Guesses who speaks when the first bytes of a connection are no remoting frame: for the log line only. */
export function describeStranger(chunk: Buffer): string | undefined {
  if (chunk[0] === 0x16 && chunk[1] === 0x03) return "it looks like a TLS handshake; TLS is not enabled here";
  const text = chunk.toString("latin1", 0, 8);
  if (/^(GET|PUT|POST|HEAD|OPTIONS|DELETE|PATCH) /.test(text)) return "it looks like an HTTP request";
  if (text.startsWith("PRI * HT")) return "it looks like gRPC or HTTP/2";
  if (text.startsWith("PROXY ")) return "it looks like a PROXY protocol header";
  return undefined;
}

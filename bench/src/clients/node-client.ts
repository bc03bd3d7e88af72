/** A Node client as the driver sees it, whoever wrote it: its fastest ordinary way of sending, and its push consumer. */
export interface NodeClient {
  /** Once; then `send` may be called. */
  startProducer(): Promise<void>;
  /** Calls `done` once, when it was acknowledged or failed. */
  send(topic: string, body: Buffer, done: (error?: unknown) => void): void;
  /** From the oldest message on; each message that came is done with at once. */
  consume(topic: string, group: string, onMessage: () => void): Promise<void>;
}

export interface NodeClientOptions {
  readonly namesrv: string;
  /** gRPC; empty where there is none. */
  readonly proxy: string;
}

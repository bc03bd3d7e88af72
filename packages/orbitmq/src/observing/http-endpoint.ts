/**
 * The one HTTP door: /metrics, /health/live and /health/ready, GET and HEAD only. Made to be reached by mistake or malice
 * without harm: few connections, small heads, short patience, nothing read of a body, one reading of the metrics at a
 * time however many ask.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger, SocketAddress } from "@orbitmq/host";
import type { HealthReport } from "./health.ts";

const CONNECTIONS_MAX = 64;
const HEAD_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 64;
/** For a request's head, for all of a request, and between two requests. */
const HEAD_MS_MAX = 5_000;
const REQUEST_MS_MAX = 10_000;
const KEEP_ALIVE_MS = 20_000;
/** A connection that moves nothing: who asks and does not read. */
const IDLE_MS_MAX = 30_000;
const REQUESTS_PER_CONNECTION = 1_000;
/** What a reading may take. */
const READING_MS_MAX = 20_000;

export interface HttpDoors {
  readonly live: () => HealthReport;
  readonly ready: () => HealthReport;
  /** In Prometheus' text format; absent: there are none here. */
  readonly metrics: (() => Promise<string>) | undefined;
}

export class HttpEndpoint {
  readonly #doors: HttpDoors;
  readonly #logger: Logger;
  readonly #server: Server;
  #reading: Promise<string> | undefined;
  /** The reading after the one under way: it sees all that happened before it was asked for. */
  #next: Promise<string> | undefined;

  constructor(doors: HttpDoors, logger: Logger) {
    this.#doors = doors;
    this.#logger = logger;
    this.#server = createServer(
      {
        maxHeaderSize: HEAD_BYTES_MAX,
        headersTimeout: HEAD_MS_MAX,
        requestTimeout: REQUEST_MS_MAX,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: HEAD_MS_MAX,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.maxHeadersCount = HEADERS_MAX;
    this.#server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
    this.#server.timeout = IDLE_MS_MAX;
    this.#server.on("clientError", refuseClient);
    // What is no HTTP request of ours, and would else be left open.
    for (const event of ["upgrade", "connect"] as const) {
      this.#server.on(event, (_request, socket: Socket) => socket.destroy());
    }
  }

  /** Resolves with where it listens. Rejects with the error of node:net. */
  listen({ host, port }: SocketAddress): Promise<SocketAddress> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.removeListener("error", reject);
        this.#server.on("error", (error) => this.#logger.warn({ err: error }, "the HTTP endpoint failed"));
        resolve({ host, port: (this.#server.address() as AddressInfo).port });
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nobody here wants a body; a connection on which one comes is not used again.
    const hasBody =
      request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
    if (hasBody) response.shouldKeepAlive = false;
    request.resume();
    response.on("error", () => response.destroy());
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#logger.warn({ err: error }, "the metrics cannot be read");
      if (!response.headersSent) send(response, 503, "text/plain", "the metrics cannot be read now\n");
    }
  }

  async #answer({ method, url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url.split("?", 1)[0];
    const door = {
      "/metrics": this.#doors.metrics,
      "/health/live": this.#doors.live,
      "/health/ready": this.#doors.ready,
    }[path ?? ""];
    if (door === undefined) {
      send(response, 404, "text/plain", "not found; here are /metrics, /health/live and /health/ready\n");
    } else if (method !== "GET" && method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      send(response, 405, "text/plain", "only GET and HEAD\n");
    } else if (path === "/metrics") {
      send(response, 200, "text/plain; version=0.0.4", await this.#metrics());
    } else {
      const { status, body } = door() as HealthReport;
      send(response, status, "application/json", `${JSON.stringify(body)}\n`);
    }
  }

  #metrics(): Promise<string> {
    if (this.#reading === undefined) {
      this.#reading = inTime(this.#doors.metrics!()).finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    this.#next ??= this.#reading
      .catch(() => "told to those who waited for it")
      .then(() => {
        this.#next = undefined;
        return this.#metrics();
      });
    return this.#next;
  }
}

function inTime(reading: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`reading them took longer than ${READING_MS_MAX} ms`)),
      READING_MS_MAX,
    );
    timer.unref();
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  const charset = type.includes("json") ? "" : "; charset=utf-8";
  response.writeHead(status, {
    "Content-Type": `${type}${charset}`,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  // node:http sends no body with an answer to HEAD.
  response.end(body);
}

function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
  else
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
      socket.destroy(),
    );
}

/** The server to embed. Clients are in `@orbitmq/client`; no class of that package exists here a second time. */
export { ServerError, type ServerErrorCode, serverErrors } from "./server-error.ts";
export { type ManualOrbitMQ, type OrbitMQ, type OrbitMQStatus, type StartOptions, start } from "./start.ts";

/**
 * The one error of this package and its table. Every failure a caller can meet has a stable code here, whether
 * trying again can help, what it means and what to do about it; the codes are part of the public interface.
 */

/**
 * May the message of a failed send exist on a broker? `refused`: certainly not. `unknown`: it may, or will be
 * found after a restart; sending again may store it twice. For calls that store nothing it is `refused`.
 */
export type SendOutcome = "refused" | "unknown";

interface ErrorKind {
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retriable: boolean;
  readonly description: string;
  readonly hint: string;
}

/** code → kind. Codes in the second half are the broker's response codes under RocketMQ's names. */
export const orbitErrors = {
  INVALID_ARGUMENT: {
    retriable: false,
    description: "an option or argument has a value that is not allowed",
    hint: "correct the argument the message names",
  },
  NOT_RUNNING: {
    retriable: false,
    description: "the client was not started",
    hint: "await start() before the first call",
  },
  SHUT_DOWN: {
    retriable: false,
    description: "the client was shut down before the call was over",
    hint: "stop sending before shutdown(), or give shutdown() a longer deadlineMs",
  },
  ABORTED: {
    retriable: false,
    description: "the caller's AbortSignal fired before the call was over",
    hint: "look at cause for the reason the signal was aborted with",
  },
  FORBIDDEN: {
    retriable: false,
    description: "a check-forbidden hook of this producer refused the send",
    hint: "look at cause; nothing was sent",
  },
  MESSAGE_INVALID: {
    retriable: false,
    description: "the message breaks RocketMQ's rules for topics, bodies or properties",
    hint: "correct the message; nothing was sent",
  },
  MESSAGE_TOO_LARGE: {
    retriable: false,
    description: "the body, the properties or the batch exceed the size limit",
    hint: "send less in one message, or put the payload elsewhere and send a reference",
  },
  NOT_SUPPORTED_YET: {
    retriable: false,
    description: "the message asks for a feature this client does not have yet (transactions)",
    hint: "remove the property the message names; nothing was sent",
  },
  ENCODE_FAILED: {
    retriable: false,
    description: "the topic's codec could not encode the value",
    hint: "look at cause; nothing was sent",
  },
  DECODE_FAILED: {
    retriable: false,
    description: "the topic's codec could not decode the body, or the value failed its validation",
    hint: "compare the producer's codec with this topic's; the raw body is in message.body",
  },
  BODY_UNREADABLE: {
    retriable: false,
    description: "a compressed body cannot be decompressed in this process",
    hint: "look at cause: the data is damaged, or Node lacks the codec the producer used",
  },
  LISTENER_FAILED: {
    retriable: true,
    description: "the message listener threw or rejected",
    hint: "look at cause; the message comes again later, and is a dead letter after maxReconsumeTimes",
  },
  LISTENER_RESULT_INVALID: {
    retriable: true,
    description: "the message listener returned something other than a consume result",
    hint: 'return nothing, "CONSUME_SUCCESS" or "RECONSUME_LATER"',
  },
  CONSUME_TIMEOUT: {
    retriable: true,
    description: "the message listener ran longer than consumeTimeoutMs",
    hint: "make the listener faster, heed context.signal, or raise consumeTimeoutMs",
  },
  QUEUE_LOST: {
    retriable: true,
    description: "the queue was given to another consumer of the group while the listener ran",
    hint: "stop the work when context.signal aborts; the other consumer gets the message again",
  },
  NAME_SERVER_UNREACHABLE: {
    retriable: true,
    description: "no NameServer answered",
    hint: "check the namesrv option and that a NameServer listens there; waitForever makes start() keep trying",
  },
  TOPIC_ROUTE_NOT_FOUND: {
    retriable: true,
    description: "no NameServer knows a broker for the topic, and no default topic allows creating it",
    hint: "create the topic, or let the broker create topics (autoCreateTopicEnable)",
  },
  NO_QUEUE_AVAILABLE: {
    retriable: true,
    description:
      "the topic has no queue that can be used (no permission, no master), or the selector chose none",
    hint: "check the topic's permission and that its brokers are up",
  },
  BROKER_UNKNOWN: {
    retriable: true,
    description: "the broker of the chosen queue has no known address",
    hint: "check that the broker is up and registered with the NameServer",
  },
  CONNECT_FAILED: {
    retriable: true,
    description: "no connection to the server could be made",
    hint: "check that the server is up and reachable at the address it advertises; see mapAddress",
  },
  CONNECTION_CLOSED: {
    retriable: true,
    description: "the connection closed before the answer arrived",
    hint: "send again; the message may be stored twice",
  },
  TIMEOUT: {
    retriable: true,
    description: "no answer arrived in time",
    hint: "send again (the message may be stored twice), or raise timeoutMs",
  },
  OVERLOADED: {
    retriable: true,
    description: "too many requests or unsent bytes in this client",
    hint: "send fewer messages at once",
  },
  PROTOCOL_ERROR: {
    retriable: false,
    description: "the server's answer does not follow the protocol",
    hint: "check that the address belongs to a RocketMQ-compatible server",
  },
  INTERNAL: {
    retriable: false,
    description: "a fault of this client",
    hint: "please report it with the cause",
  },

  SYSTEM_ERROR: {
    retriable: true,
    description: "the broker failed internally (response code 1)",
    hint: "see the remark and the broker's log",
  },
  SYSTEM_BUSY: {
    retriable: true,
    description: "the broker is overloaded or not ready (response code 2)",
    hint: "send more slowly, or wait",
  },
  REQUEST_CODE_NOT_SUPPORTED: {
    retriable: false,
    description: "the server does not know this request (response code 3)",
    hint: "check that the address is of the right kind of server and version",
  },
  FLUSH_DISK_TIMEOUT: {
    retriable: true,
    description: "the broker has the message but did not flush it in time (response code 10)",
    hint: "send again; the message may be stored twice",
  },
  SLAVE_NOT_AVAILABLE: {
    retriable: true,
    description: "the broker has the message but no replica does (response code 11)",
    hint: "send again; the message may be stored twice",
  },
  FLUSH_SLAVE_TIMEOUT: {
    retriable: true,
    description: "the broker has the message but no replica confirmed it in time (response code 12)",
    hint: "send again; the message may be stored twice",
  },
  MESSAGE_ILLEGAL: {
    retriable: false,
    description: "the broker refused the message as illegal (response code 13)",
    hint: "see the remark: body, properties or topic break the broker's limits",
  },
  SERVICE_NOT_AVAILABLE: {
    retriable: true,
    description: "the broker does not accept writes now (response code 14)",
    hint: "see the remark: disk full, write failure, or shutting down",
  },
  NO_PERMISSION: {
    retriable: false,
    description: "the broker, topic or group does not permit this (response code 16)",
    hint: "check the topic's and the broker's permission",
  },
  TOPIC_NOT_EXIST: {
    retriable: false,
    description: "the topic does not exist (response code 17)",
    hint: "create the topic, or let the broker create topics (autoCreateTopicEnable)",
  },
  QUERY_NOT_FOUND: {
    retriable: false,
    description: "what was asked for does not exist (response code 22)",
    hint: "check the name or id",
  },
  SUBSCRIPTION_PARSE_FAILED: {
    retriable: false,
    description: "the broker cannot parse the subscription expression (response code 23)",
    hint: "correct the tag or SQL92 expression; the broker's remark tells where it is wrong",
  },
  SUBSCRIPTION_NOT_EXIST: {
    retriable: true,
    description: "the broker does not know this consumer's subscription (response code 24)",
    hint: "the next heartbeat repairs it; check that all consumers of the group subscribe to the same topics",
  },
  SUBSCRIPTION_NOT_LATEST: {
    retriable: true,
    description: "the broker has an older subscription of this consumer (response code 25)",
    hint: "the next heartbeat repairs it",
  },
  FILTER_DATA_NOT_EXIST: {
    retriable: true,
    description: "the broker has no filter for this consumer's SQL92 subscription (response code 27)",
    hint: "check the expression, and that all consumers of the group use the same one",
  },
  FILTER_DATA_NOT_LATEST: {
    retriable: true,
    description: "the broker has an older filter of this consumer (response code 28)",
    hint: "the next heartbeat repairs it",
  },
  SUBSCRIPTION_GROUP_NOT_EXIST: {
    retriable: false,
    description: "the consumer group does not exist (response code 26)",
    hint: "create the group, or let the broker create groups (autoCreateSubscriptionGroup)",
  },
  INVALID_PARAMETER: {
    retriable: false,
    description: "the broker refused a parameter of the request (response code 29)",
    hint: "see the remark",
  },
  FLOW_CONTROL: {
    retriable: true,
    description: "the broker limits this client's rate (response code 215)",
    hint: "send or consume more slowly",
  },
  GO_AWAY: {
    retriable: true,
    description: "the server is shutting down (response code 1500)",
    hint: "try again; another server takes over or this one comes back",
  },
  BROKER_REFUSED: {
    retriable: false,
    description: "the server answered with a response code this client has no name for",
    hint: "see responseCode and remark",
  },
} as const satisfies Record<string, ErrorKind>;

export type OrbitErrorCode = keyof typeof orbitErrors;

/** What one broker or NameServer said no to, when several were asked. */
export interface ServerFailure {
  /** The broker's name, or the NameServer's address. */
  readonly server: string;
  /** `host:port`; "" when no NameServer knows one. */
  readonly address: string;
  readonly code: OrbitErrorCode;
  readonly message: string;
}

export interface OrbitErrorDetails {
  readonly outcome?: SendOutcome | undefined;
  readonly responseCode?: number | undefined;
  readonly remark?: string | undefined;
  readonly broker?: string | undefined;
  readonly attempts?: number | undefined;
  readonly failures?: readonly ServerFailure[] | undefined;
  readonly done?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** What every call of this package rejects with or passes to `onException`. */
export class OrbitError extends Error {
  override readonly name = "OrbitError";
  readonly code: OrbitErrorCode;
  /** May the message exist? See {@link SendOutcome}. */
  readonly outcome: SendOutcome;
  /** The server's response code, when it answered. */
  readonly responseCode: number | undefined;
  /** What the server said, when it answered. */
  readonly remark: string | undefined;
  /** Name of the broker, or address of the server, of the last attempt. */
  readonly broker: string | undefined;
  /** How often the message was handed to the network; 0 when it never was. */
  readonly attempts: number;
  /** Of an admin call to several servers: each that failed. Empty for every other call. */
  readonly failures: readonly ServerFailure[];
  /** Of an admin call to several servers: the names of those that did it all the same. */
  readonly done: readonly string[];

  constructor(code: OrbitErrorCode, message: string, details: OrbitErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcome = details.outcome ?? "refused";
    this.responseCode = details.responseCode;
    this.remark = details.remark;
    this.broker = details.broker;
    this.attempts = details.attempts ?? 0;
    this.failures = details.failures ?? [];
    this.done = details.done ?? [];
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retriable(): boolean {
    return orbitErrors[this.code].retriable;
  }

  /** What to do about it. */
  get hint(): string {
    return orbitErrors[this.code].hint;
  }
}

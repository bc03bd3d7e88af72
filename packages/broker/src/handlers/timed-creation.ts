/** Counts how long creations of topics and groups take, by how they ended (RocketMQ: InvocationStatus). */
import type { Clock, Histogram } from "@orbitmq/host";
import {
  type Exchange,
  type RemotingCommand,
  type RequestHandler,
  ResponseCode,
  WireError,
} from "@orbitmq/wire";
import type { CountedBy } from "../metrics/counted.ts";

export interface TimedCreation {
  readonly clock: Clock;
  readonly counts: CountedBy<Histogram>;
  /** Whether what is to be created bears a name of the system's, where that is told apart. May throw WireError. */
  readonly isSystem?: (request: RemotingCommand) => boolean;
}

export function timedCreation(
  handler: RequestHandler,
  { clock, counts, isSystem }: TimedCreation,
): RequestHandler {
  return (request, exchange) => {
    const beganMs = clock.monotonicMs();
    const system = isSystem === undefined ? "" : ` ${isSystemName(request, isSystem)}`;
    const ended = (status: "success" | "failure"): void =>
      counts.of(`${status}${system}`).record(Math.floor(clock.monotonicMs() - beganMs));
    const timed: Exchange = {
      peer: exchange.peer,
      code: exchange.code,
      opaque: exchange.opaque,
      isOneway: exchange.isOneway,
      reply: (response) => {
        ended(response.code === ResponseCode.SUCCESS ? "success" : "failure");
        exchange.reply(response);
      },
    };
    try {
      handler(request, timed);
    } catch (error) {
      ended("failure");
      throw error;
    }
  };
}

function isSystemName(request: RemotingCommand, isSystem: NonNullable<TimedCreation["isSystem"]>): boolean {
  try {
    return isSystem(request);
  } catch (error) {
    // The handler says what is wrong with it.
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** GET_TIMER_CHECK_POINT (60): how far timers are, as timercheck has it; 1 where there is none. */
import type { Files } from "@orbitmq/host";
import { Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";

export interface GetTimerCheckPointNeeds {
  readonly files: Pick<Files, "readWholeSync">;
  /** The folder of timercheck; absent: the store is in memory. */
  readonly storePath: string | undefined;
}

/** Seven 64-bit numbers. */
const CHECK_POINT_BYTES = 56;

export function getTimerCheckPoint({ files, storePath }: GetTimerCheckPointNeeds): RequestHandler {
  return (_request, exchange) => {
    const bytes = storePath === undefined ? undefined : files.readWholeSync(`${storePath}/timercheck`);
    if (bytes === undefined || bytes.length < CHECK_POINT_BYTES)
      throw new Refusal(ResponseCode.SYSTEM_ERROR, "The checkpoint is null");
    exchange.reply({ code: ResponseCode.SUCCESS, body: [bytes.subarray(0, CHECK_POINT_BYTES)] });
  };
}

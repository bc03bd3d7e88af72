/**
 * GET_ALL_CONSUMER_OFFSET (43) and GET_ALL_DELAY_OFFSET (45): how far groups have consumed, and delay levels are
 * delivered, as consumerOffset.json and delayOffset.json say it.
 */
import { type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { ScheduleService } from "../schedule/schedule-service.ts";

export function getAllConsumerOffset({ offsets }: { offsets: OffsetRegistry }): RequestHandler {
  return (_request, exchange) =>
    exchange.reply({ code: ResponseCode.SUCCESS, body: [Buffer.from(offsets.offsets.format())] });
}

export function getAllDelayOffset({ schedule }: { schedule: Pick<ScheduleService, "text"> }): RequestHandler {
  return (_request, exchange) =>
    exchange.reply({ code: ResponseCode.SUCCESS, body: [Buffer.from(schedule.text())] });
}

/**
 * One request as a promise, for everything that is not the hot path. `read` runs while the response is valid and
 * takes from it what is needed.
 */
import { type OutgoingRequest, type RemotingCommand, ResponseCode, type RpcClient } from "@orbitmq/wire";
import { fromResponse, fromUnknown, fromWireError } from "../errors/error-from.ts";

/** Rejects with OrbitError when no response came or `read` threw. `server` names the address in errors. */
export function callServer<T>(
  rpc: RpcClient,
  address: string,
  request: OutgoingRequest,
  timeoutMs: number,
  read: (response: RemotingCommand) => T,
  server: string = address,
): Promise<T> {
  return new Promise((resolve, reject) => {
    rpc.request(address, request, timeoutMs, (error, response) => {
      if (response === undefined) {
        reject(error === undefined ? fromUnknown("no response") : fromWireError(error, server));
        return;
      }
      try {
        resolve(read(response));
      } catch (thrown) {
        reject(fromUnknown(thrown, server));
      }
    });
  });
}

/** As {@link callServer}, but a response code other than SUCCESS rejects, too. */
export function askServer<T>(
  rpc: RpcClient,
  address: string,
  request: OutgoingRequest,
  timeoutMs: number,
  read: (response: RemotingCommand) => T,
  server: string = address,
): Promise<T> {
  return callServer(
    rpc,
    address,
    request,
    timeoutMs,
    (response) => {
      if (response.code !== ResponseCode.SUCCESS) throw fromResponse(response.code, response.remark, server);
      return read(response);
    },
    server,
  );
}

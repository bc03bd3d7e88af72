/** The place that an offset message id names. A unique id has the same form, and names a place by chance. */
import { decodeHostBytes, decodeOffsetMessageId, formatAddress, WireError } from "@orbitmq/wire";

export interface Place {
  readonly address: string;
  readonly port: number;
  readonly position: number;
}

export function placeOf(id: string): Place | undefined {
  try {
    const { storeHost, physicalOffset } = decodeOffsetMessageId(id);
    const host = decodeHostBytes(storeHost);
    return { address: formatAddress(host), port: host.port, position: physicalOffset };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

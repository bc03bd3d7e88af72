/** What the two services agree on: the order, the topic it travels on, and the red packet it earns. */
import { json, type StandardSchema, topic } from "@orbitmq/client";

export interface Order {
  readonly orderId: string;
  readonly customer: string;
  readonly cents: number;
  readonly status: "PAID" | "OPEN" | "CANCELLED";
  /** ISO time. */
  readonly paidAt?: string;
}

export interface RedPacket {
  readonly orderId: string;
  readonly customer: string;
  readonly cents: number;
}

/** Says what is wrong with something that should be an order; nothing when it is one. */
export function problemWith(value: unknown): string | undefined {
  const { orderId, customer, cents, status } = (value ?? {}) as Partial<Record<keyof Order, unknown>>;
  if (typeof orderId !== "string" || orderId === "") return "orderId must be a text";
  if (typeof customer !== "string") return "customer must be a text";
  if (!Number.isSafeInteger(cents) || (cents as number) < 0) return "cents must be a whole number";
  if (status !== "PAID" && status !== "OPEN" && status !== "CANCELLED") return "status is unknown";
  return undefined;
}

/** Any Standard Schema validator (Zod, Valibot, ArkType, …) fits here; this one needs no library. */
const orderSchema: StandardSchema<unknown, Order> = {
  "~standard": {
    version: 1,
    vendor: "red-packet",
    validate: (value) => {
      const message = problemWith(value);
      return message === undefined ? { value: value as Order } : { issues: [{ message }] };
    },
  },
};

export const paidOrders = topic("orders-paid", json(orderSchema));

/** One percent of what was paid, at least one cent. */
export function redPacketFor({ orderId, customer, cents }: Order): RedPacket {
  return { orderId, customer, cents: Math.max(1, Math.floor(cents / 100)) };
}

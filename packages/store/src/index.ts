/** Bytes on disk. */
export type { MessageStore } from "./message-store.ts";

/**
 * RESUME_CHECK_HALF_MESSAGE (323): a half message that was parked after its last check is checked again.
 *
 *   request   topic? msgId?
 *   response  nothing
 */
import { defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";

export const resumeCheckHalfMessageRequestHeader = defineHeader("ResumeCheckHalfMessageRequestHeader", {
  topic: optional(name()),
  /** The offset message id of the parked message. */
  msgId: optional(string()),
});
export type ResumeCheckHalfMessageRequestHeader = HeaderValue<typeof resumeCheckHalfMessageRequestHeader>;

/** A member of the consumer group that comes for a while: it joins, and leaves in its orderly way or dies. */
import { ConsumerNode } from "./consumer-node.ts";

export class GuestNode extends ConsumerNode {
  #isInvited = false;

  /** False when it is there already. */
  visit(stayMs: number, isKilled: boolean): boolean {
    if (this.#isInvited) return false;
    this.#isInvited = true;
    this.start();
    this.context.world.after(stayMs, () => {
      this.#isInvited = false;
      if (isKilled) this.kill(0);
      else this.stop(0);
    });
    return true;
  }

  /** It does not come by itself. */
  override startAfter(delayMs: number): void {
    if (this.#isInvited) super.startAfter(delayMs);
  }
}

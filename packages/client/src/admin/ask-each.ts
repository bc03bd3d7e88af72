/**
 * One question to several servers. Each is asked whatever the others say, and what one refuses is told beside what
 * the others answered:
 *
 *   looking    the answers there are, and the failures; rejects only when nobody answered
 *   changing   rejects when one failed, and the error names who failed and who did it
 */
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError, type ServerFailure } from "../errors/errors.ts";
import type { Server } from "./servers.ts";

export interface Answer<T> {
  readonly server: string;
  readonly address: string;
  readonly value: T;
}

export interface Answers<T> {
  readonly answers: readonly Answer<T>[];
  readonly failures: readonly ServerFailure[];
}

type Ask<T> = (address: string, server: string) => Promise<T>;

/** Rejects with the first failure, naming all, when every server failed; nobody to ask is no answers. */
export async function lookAtEach<T>(servers: readonly Server[], ask: Ask<T>): Promise<Answers<T>> {
  const { answers, failures, first } = await askEach(servers, ask);
  if (answers.length === 0 && first !== undefined) throw failureOf(first, failures, []);
  return { answers, failures };
}

/** The answers of all. Rejects when one failed, after all were asked. */
export async function changeEach<T>(servers: readonly Server[], ask: Ask<T>): Promise<readonly Answer<T>[]> {
  const { answers, failures, first } = await askEach(servers, ask);
  if (first === undefined) return answers;
  throw failureOf(
    first,
    failures,
    answers.map(({ server }) => server),
  );
}

async function askEach<T>(
  servers: readonly Server[],
  ask: Ask<T>,
): Promise<Answers<T> & { first: OrbitError | undefined }> {
  const answers: Answer<T>[] = [];
  const failed: { readonly server: Server; readonly error: OrbitError }[] = [];
  const ends = await Promise.all(servers.map((server) => askOne(server, ask)));
  for (const [index, end] of ends.entries()) {
    const server = servers[index]!;
    if (end instanceof OrbitError) failed.push({ server, error: end });
    else answers.push(end);
  }
  const failures = failed.map(({ server: { name, address = "" }, error: { code, message } }) => ({
    server: name,
    address,
    code,
    message,
  }));
  return { answers, failures, first: failed[0]?.error };
}

async function askOne<T>({ name, address }: Server, ask: Ask<T>): Promise<Answer<T> | OrbitError> {
  if (address === undefined)
    return new OrbitError("BROKER_UNKNOWN", `${name} has no master`, { broker: name });
  try {
    return { server: name, address, value: await ask(address, name) };
  } catch (error) {
    return fromUnknown(error, name);
  }
}

/** The first failure with all of them; said of several servers, it names each. */
function failureOf(
  first: OrbitError,
  failures: readonly ServerFailure[],
  done: readonly string[],
): OrbitError {
  const said = failures.map(({ server, message }) => `${server}: ${message}`).join("; ");
  const message = done.length === 0 ? said : `${said}; done on ${done.join(", ")}`;
  const { responseCode, remark, broker, outcome } = first;
  return new OrbitError(first.code, failures.length + done.length === 1 ? first.message : message, {
    responseCode,
    remark,
    broker,
    outcome,
    failures,
    done,
    cause: first,
  });
}

/** As much of Redis' and NATS' text protocols as a load takes: publish one, count acknowledgements, ask how many. */
import type { Socket } from "node:net";

export interface Dialect {
  /** Whatever comes before the first publish. */
  prepare(socket: Socket): Promise<void>;
  publish(slot: number): Buffer;
  /** How many acknowledgements were completed by these bytes. Throws for a refusal. */
  acknowledged(chunk: Buffer): number;
  /** When nothing is in flight any more. */
  stored(socket: Socket): Promise<number>;
}

const LF = 10;
const DOLLAR = 36;
const MINUS = 45;
const INBOX = "_INBOX.b";
const CONTROL_INBOX = "_INBOX.c";

function answer(socket: Socket, question: string, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    const take = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const match = pattern.exec(text);
      if (match === null && !/^-|"error"/m.test(text)) return;
      socket.off("data", take);
      if (match === null) reject(new Error(text));
      else resolve(match);
    };
    socket.on("data", take);
    if (question !== "") socket.write(question);
  });
}

/** A reply is `$15\r\n1526919030474-0\r\n`: two lines. */
export function redisDialect(body: Buffer): Dialect {
  const head = `*5\r\n$4\r\nXADD\r\n$5\r\nbench\r\n$1\r\n*\r\n$1\r\nb\r\n$${body.length}\r\n`;
  const command = Buffer.concat([Buffer.from(head), body, Buffer.from("\r\n")]);
  let lines = 0;
  return {
    prepare: async (socket) => void (await answer(socket, "PING\r\n", /\+PONG\r\n/)),
    publish: () => command,
    acknowledged: (chunk) => {
      const before = lines >> 1;
      if (lines % 2 === 0 && chunk[0] === MINUS) throw new Error(chunk.toString("latin1"));
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines++;
      return (lines >> 1) - before;
    },
    stored: async (socket) => Number((await answer(socket, "XLEN bench\r\n", /:(\d+)\r\n/))[1]),
  };
}

/** An acknowledgement is a message to our inbox: `MSG _INBOX.b 1 30\r\n{"stream":"BENCH", "seq":17}\r\n`. */
export function natsDialect(body: Buffer): Dialect {
  const head = `PUB bench ${INBOX} ${body.length}\r\n`;
  const command = Buffer.concat([Buffer.from(head), body, Buffer.from("\r\n")]);
  const stream = JSON.stringify({ name: "BENCH", subjects: ["bench"], storage: "file", retention: "limits" });
  let rest = "";
  return {
    prepare: async (socket) => {
      await answer(socket, 'CONNECT {"verbose":false}\r\nPING\r\n', /PONG\r\n/);
      const create = `PUB $JS.API.STREAM.CREATE.BENCH ${CONTROL_INBOX} ${stream.length}\r\n${stream}\r\n`;
      await answer(socket, `SUB ${CONTROL_INBOX} 2\r\n${create}`, /"type":".*stream_create_response".*\r\n/);
      socket.write(`SUB ${INBOX} 1\r\n`);
    },
    publish: () => command,
    acknowledged: (chunk) => {
      const text = rest + chunk.toString("latin1");
      let count = 0;
      let from = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        if (text.charCodeAt(from) !== DOLLAR && text.startsWith('{"stream"', from)) count++;
        else if (text.startsWith("-ERR", from) || text.startsWith('{"error"', from)) {
          throw new Error(text.slice(from, end));
        }
        from = end + 1;
      }
      rest = text.slice(from);
      return count;
    },
    stored: async (socket) => {
      const ask = `PUB $JS.API.STREAM.INFO.BENCH ${CONTROL_INBOX} 0\r\n\r\n`;
      return Number((await answer(socket, ask, /"messages":(\d+)/))[1]);
    },
  };
}

export const dialects = { redis: redisDialect, nats: natsDialect } as const;

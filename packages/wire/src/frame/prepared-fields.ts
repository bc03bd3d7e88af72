/** Header fields, or their names alone, encoded once for both header encodings: what is the same in every answer. */

export class PreparedName {
  readonly text: string;
  /** `nameLength:i16 name` */
  readonly binary: Uint8Array;
  /** `"name":` */
  readonly json: Uint8Array;

  /** `text` is ASCII without quotes and backslashes. */
  constructor(text: string) {
    this.text = text;
    const binary = Buffer.alloc(2 + text.length);
    binary.writeInt16BE(text.length, 0);
    binary.write(text, 2);
    this.binary = binary;
    this.json = Buffer.from(`"${text}":`);
  }
}

/** Whole fields, name and value, one after the other. */
export class PreparedFields {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly binary: Uint8Array;
  /** Commas between them, none around. */
  readonly json: Uint8Array;

  constructor(fields: readonly (readonly [name: string, value: string])[]) {
    this.fields = fields;
    this.binary = Buffer.concat(
      fields.flatMap(([name, value]) => {
        const text = Buffer.from(value);
        const length = Buffer.alloc(4);
        length.writeInt32BE(text.length, 0);
        return [new PreparedName(name).binary, length, text];
      }),
    );
    this.json = Buffer.from(fields.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(","));
  }
}

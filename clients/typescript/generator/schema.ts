/** The part of JSON Schema and OpenRPC in which the contract is written. */

export type Value = string | number | boolean | null;

export interface SchemaObject {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: Value;
  readonly enum?: readonly Value[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
}

export type Schema = boolean | SchemaObject;

export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly "x-params": Schema;
  readonly result: { readonly schema: Schema };
  readonly errors: readonly { readonly $ref: string }[];
}

export interface Refusal {
  readonly code: number;
  readonly data: Schema;
}

export interface Contract {
  readonly info: { readonly version: string };
  readonly methods: readonly Method[];
  readonly "x-notifications": readonly { readonly name: string; readonly result: Schema }[];
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly errors: Readonly<Record<string, Refusal>>;
  };
}

/** The last part of a reference, which is the name of what it refers to. */
export function referred(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

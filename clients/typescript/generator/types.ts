/** Writes a schema as a TypeScript type. */

import { referred, type Schema, type SchemaObject, type Value } from "./schema.js";

export type Schemas = Readonly<Record<string, Schema>>;

/** What an object has under one name. */
interface Member {
  readonly schema: Schema;
  readonly presence: "required" | "optional";
}

type Members = Map<string, Member>;

/** A comment, or nothing where there is nothing to say. */
export function comment(lines: readonly string[], indent: string): string {
  const text = lines.flatMap((line) => line.split("\n")).map((line) => line.replaceAll("*/", "*\\/"));
  if (text.length === 0) return "";
  if (text.length === 1) return `${indent}/** ${text[0]} */\n`;
  return `${indent}/**\n${text.map((line) => `${indent} * ${line}`.trimEnd() + "\n").join("")}${indent} */\n`;
}

/** What is said of a schema: what it is, how large, and what it is when it is absent. */
export function remarks(schema: Schema): string[] {
  if (typeof schema === "boolean") return [];
  const { description, minimum, maximum } = schema;
  const lines = description === undefined ? [] : [description];
  // What every client knows of integers that stand for times and sizes is not worth a line.
  if (minimum !== undefined && minimum !== 0 && maximum !== undefined) lines.push(`From ${minimum} to ${maximum}.`);
  if (schema.default !== undefined) lines.push(`@default ${JSON.stringify(schema.default)}`);
  return lines;
}

/** Writes types; `schemas` are those that references mean. */
export class TypeWriter {
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  type(schema: Schema, indent = ""): string {
    if (schema === true) return "unknown";
    if (schema === false) return "never";
    if (schema.$ref !== undefined) return referred(schema.$ref);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum !== undefined) return this.#union(schema.enum.map((value) => JSON.stringify(value)));
    if (isObject(schema)) return this.#object(schema, indent);
    const variants = schema.oneOf ?? schema.anyOf;
    if (variants !== undefined) return this.#union(variants.map((variant) => this.type(variant, indent)));
    const types = schema.type === undefined ? [] : [schema.type].flat();
    if (types.length === 0) return "unknown";
    return this.#union(types.map((name) => this.#named(name, schema, indent)));
  }

  #named(name: string, schema: SchemaObject, indent: string): string {
    switch (name) {
      case "integer":
      case "number":
        return "number";
      case "string":
      case "boolean":
      case "null":
        return name;
      case "array": {
        const item = this.type(schema.items ?? true, indent);
        return /^[\w.]+$/.test(item) ? `${item}[]` : `(${item})[]`;
      }
      case "object":
        return this.#object({ ...schema, type: "object" }, indent);
      default:
        throw new Error(`a schema has the type ${name}, which this generator does not know`);
    }
  }

  #union(types: readonly string[]): string {
    return [...new Set(types)].join(" | ");
  }

  /** An object: what all its forms have in common, and one union for each way in which they differ. */
  #object(schema: SchemaObject, indent: string): string {
    const own = members(schema);
    const choices = choicesOf(schema, this.#schemas);
    const differ = new Set(choices.flatMap((forms) => forms.flatMap((form) => [...form.members.keys()])));
    const common = new Map([...own].filter(([name]) => !differ.has(name)));
    const parts: string[] = [];
    const nullable = [schema.type].flat().includes("null") ? " | null" : "";
    if (common.size > 0 || choices.length === 0) parts.push(this.#members(common, schema.additionalProperties, indent));
    for (const forms of choices) {
      const names = new Set(forms.flatMap((form) => [...form.members.keys()]));
      const written = forms.map((form) => {
        const all: Members = new Map();
        for (const name of names) {
          const member = form.members.get(name) ?? own.get(name);
          if (member !== undefined) all.set(name, resolve(member, own.get(name)));
        }
        const inner = this.#members(all, undefined, `${indent}  `);
        return `\n${comment(form.remarks, `${indent}  `)}${indent}  | ${inner}`;
      });
      parts.push(parts.length === 0 && choices.length === 1 ? written.join("") : `(${written.join("")}\n${indent})`);
    }
    return parts.join(" & ") + nullable;
  }

  #members(all: Members, rest: Schema | undefined, indent: string): string {
    const inner = `${indent}  `;
    const lines = [...all].map(([name, { schema, presence }]) => {
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
      const mark = presence === "required" ? "" : "?";
      return `${comment(remarks(schema), inner)}${inner}${key}${mark}: ${this.type(schema, inner)};\n`;
    });
    if (rest === undefined ? all.size === 0 : rest !== false) {
      lines.push(`${inner}[name: string]: ${this.type(rest ?? true, inner)};\n`);
    }
    return lines.length === 0 ? "Record<string, never>" : `{\n${lines.join("")}${indent}}`;
  }
}

function isObject(schema: SchemaObject): boolean {
  const types = [schema.type].flat();
  return types.includes("object") && types.every((type) => type === "object" || type === "null");
}

function members(schema: SchemaObject): Members {
  const required = new Set(schema.required);
  const all: Members = new Map();
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    all.set(name, { schema: member, presence: required.has(name) ? "required" : "optional" });
  }
  for (const name of required) {
    if (!all.has(name)) all.set(name, { schema: true, presence: "required" });
  }
  return all;
}

/** A form narrows what the object says of a member; what it does not say anew is taken from there. */
function resolve(member: Member, own: Member | undefined): Member {
  const { schema } = member;
  if (own === undefined || schema === false) return member;
  const presence = own.presence === "required" ? "required" : member.presence;
  if (schema === true) return { schema: own.schema, presence };
  if (isNotNull(schema)) return { schema: withoutNull(own.schema), presence };
  if (typeof own.schema === "boolean" || schema.description !== undefined) return { schema, presence };
  const { description } = own.schema;
  return { schema: description === undefined ? schema : { ...schema, description }, presence };
}

function isNotNull(schema: Schema): boolean {
  return typeof schema === "object" && typeof schema.not === "object" && schema.not.type === "null";
}

function withoutNull(schema: Schema): Schema {
  if (typeof schema === "boolean") return schema;
  const { anyOf, type, ...rest } = schema;
  if (anyOf !== undefined) {
    const left = anyOf.filter((variant) => typeof variant === "boolean" || variant.type !== "null");
    const [only] = left;
    if (left.length === 1 && typeof only === "object") return { ...only, ...rest };
    return { ...rest, anyOf: left };
  }
  if (type === undefined) return schema;
  return { ...rest, type: [type].flat().filter((name) => name !== "null") };
}

/** One of the forms that an object may have. */
interface Form {
  readonly remarks: readonly string[];
  readonly members: Members;
}

/** All ways in which the forms of an object differ, each with its forms. */
function choicesOf(schema: SchemaObject, schemas: Schemas): Form[][] {
  const parts: SchemaObject[] = [schema, ...(schema.allOf ?? []).filter((part) => typeof part === "object")];
  const choices: Form[][] = [];
  for (const { oneOf, anyOf } of parts) {
    const variants = oneOf ?? anyOf;
    if (variants !== undefined) choices.push(formsOf(variants.filter((variant) => typeof variant === "object")));
  }
  const conditions = parts.filter((part) => part.if !== undefined);
  if (conditions.length > 0) choices.push(conditional(schema, conditions, schemas));
  return choices;
}

function formsOf(variants: readonly SchemaObject[]): Form[] {
  const all = variants.map((variant) => ({ remarks: remarks(variant), members: members(variant) }));
  // Where forms differ only in what they require, a thing has what one of them requires and nothing of the others.
  if (variants.every((variant) => variant.properties === undefined)) {
    for (const form of all) {
      for (const other of all.flatMap(({ members }) => [...members])) {
        const [name] = other;
        if (!form.members.has(name)) form.members.set(name, { schema: false, presence: "optional" });
      }
    }
  }
  return all;
}

/** Forms that follow from the value of one member: one for each set of values with the same consequences. */
function conditional(schema: SchemaObject, conditions: readonly SchemaObject[], schemas: Schemas): Form[] {
  const [name, ...others] = new Set(conditions.flatMap(({ if: when }) => Object.keys(object(when).properties ?? {})));
  if (name === undefined || others.length > 0) throw new Error("conditions on one member only can be written");
  const own = schema.properties?.[name] ?? true;
  const forms = new Map<string, { values: Value[]; consequences: SchemaObject[] }>();
  for (const value of valuesOf(own, schemas)) {
    const consequences = conditions.flatMap((condition) => {
      const allowed = valuesOf(object(condition.if).properties?.[name] ?? true, schemas);
      const consequence = allowed.includes(value) ? condition.then : condition.else;
      return consequence === undefined ? [] : [object(consequence)];
    });
    const key = JSON.stringify(consequences);
    const form = forms.get(key);
    if (form === undefined) forms.set(key, { values: [value], consequences });
    else form.values.push(value);
  }
  return [...forms.values()].map(({ values, consequences }) => {
    const all: Members = new Map([[name, { schema: { enum: values }, presence: "required" }]]);
    const required = new Set([...(schema.required ?? []), ...consequences.flatMap((part) => part.required ?? [])]);
    const put = (member: string, said: Schema) =>
      all.set(member, { schema: said, presence: said !== false && required.has(member) ? "required" : "optional" });
    for (const part of consequences) {
      for (const member of part.required ?? []) put(member, true);
      for (const member of object(part.not).required ?? []) put(member, false);
      for (const [member, said] of Object.entries(part.properties ?? {})) put(member, said);
    }
    return { remarks: [], members: all };
  });
}

function object(schema: Schema | undefined): SchemaObject {
  return typeof schema === "object" ? schema : {};
}

/** The closed list of values that a schema allows. */
function valuesOf(schema: Schema, schemas: Schemas): Value[] {
  const { $ref, const: only, enum: some, oneOf, anyOf, type } = object(schema);
  if ($ref !== undefined) return valuesOf(schemas[referred($ref)] ?? true, schemas);
  if (type === "boolean") return [false, true];
  if (only !== undefined) return [only];
  if (some !== undefined) return [...some];
  const variants = oneOf ?? anyOf;
  if (variants === undefined) throw new Error(`no closed list of values: ${JSON.stringify(schema)}`);
  return variants.flatMap((variant) => valuesOf(variant, schemas));
}

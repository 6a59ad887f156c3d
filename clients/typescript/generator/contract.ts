/** Writes the contract: its types, and the methods with what they take, give and refuse. */

import { type Contract, type Method, type Schema, referred } from "./schema.js";
import { comment, remarks, TypeWriter } from "./types.js";

const HEAD = "// Generated from schema/openrpc.json by `npm run generate`. Do not edit.\n";

/** What groups of methods are called on a client, where that is not the word that the methods begin with. */
const GROUPS: Readonly<Record<string, string>> = { automation: "automations", provider: "providers", run: "runs" };

/** The session begins and ends with these, so a client keeps them to itself. */
const SESSION: readonly string[] = ["initialize", "shutdown"];

/** The files of the client that follow from the contract, by name. */
export function write(contract: Contract): Map<string, string> {
  return new Map([
    ["protocol.ts", protocol(contract)],
    ["methods.ts", methods(contract)],
  ]);
}

/** A method opens a subscription if another one, of the same group, takes back what it gives. */
function subscriptions(contract: Contract): Set<string> {
  const closes = contract.methods.filter((method) => "subscription" in properties(method["x-params"], contract));
  const names = new Set<string>();
  for (const { name } of closes) {
    const [group, ending] = [name.split("/")[0], name.split("/")[1]];
    const opening = { unsubscribe: "subscribe", unserve: "serve", release: "hold" }[ending ?? ""];
    if (opening === undefined) throw new Error(`${name} takes back what no known method gives`);
    names.add(name).add(`${group}/${opening}`);
  }
  return names;
}

function properties(schema: Schema, contract: Contract): Readonly<Record<string, Schema>> {
  if (typeof schema === "boolean") return {};
  if (schema.$ref !== undefined)
    return properties(contract.components.schemas[referred(schema.$ref)] ?? true, contract);
  return schema.properties ?? {};
}

function protocol(contract: Contract): string {
  const { schemas, errors } = contract.components;
  const writer = new TypeWriter(schemas);
  // Whole messages are the business of the connection; only what they carry has types.
  const carried = Object.entries(schemas).filter(
    ([name]) => !/(Request|Notification)$|^(Answer|Id|Message|Refused.*)$/.test(name),
  );
  const types = carried.map(
    ([name, schema]) => `${comment(remarks(schema), "")}export type ${name} = ${writer.type(schema)};\n`,
  );
  const refusals = Object.entries(errors).map(([kind, { data }]) => `  ${kind}: ${writer.type(data, "  ")};\n`);
  const codes = Object.entries(errors).map(([kind, { code }]) => `  ${kind}: ${code},\n`);
  return [
    HEAD,
    types.join("\n"),
    block("What is told beside a refusal, by its kind.", "export interface RefusalData {", refusals),
    block("The codes of refusals, by their kind.", "export const refusalCodes = {", codes, "} as const;"),
  ].join("\n");
}

/** Something in braces, with what it is before it. */
function block(what: string, head: string, lines: readonly string[], end = "}"): string {
  return `${comment([what], "")}${head}\n${lines.join("")}${end}\n`;
}

/** How every request is made, as it stands in what is written. */
const OPTIONS = [
  comment(["Cancels the request. What was committed before is answered as it is: a cancel hides no change."], "  "),
  "  signal?: AbortSignal | undefined;\n",
];

const ASKS = [
  "request<M extends AskedMethod>(",
  "    method: M,",
  '    params: Methods[M]["params"],',
  "    options?: RequestOptions,",
  '  ): Promise<Methods[M]["result"]>;\n',
].join("\n");

function methods(contract: Contract): string {
  const keeps = subscriptions(contract);
  const asked = contract.methods.filter(({ name }) => !SESSION.includes(name) && !keeps.has(name));
  const entry = ({ name, summary, ...method }: Method): string => {
    const kinds = method.errors.map(({ $ref }) => JSON.stringify(referred($ref))).join(" | ");
    const [params, result] = [typeOf(method["x-params"]), typeOf(method.result.schema)];
    const members = [`params: ${params};`, `result: ${result};`, `refusals: ${kinds};`];
    const lines = members.map((member) => `    ${member}\n`).join("");
    return `${comment([summary], "  ")}  ${JSON.stringify(name)}: {\n${lines}  };\n`;
  };
  const told = contract["x-notifications"].map(({ name, result }) => `  ${JSON.stringify(name)}: ${typeOf(result)};\n`);
  const names = asked.map(({ name }) => `\n  | ${JSON.stringify(name)}`).join("");
  const kept = "The methods that are asked by name; the client itself keeps the session and all subscriptions.";
  const methods = contract.methods.map(entry);
  return [
    HEAD,
    `import type * as protocol from "./protocol.js";\n`,
    block("What each method takes and gives, and the kinds of its refusals.", "export interface Methods {", methods),
    block("What subscriptions tell.", "export interface Notifications {", told),
    `${comment([kept], "")}export type AskedMethod =${names};\n`,
    block("How a request is made, beside what it asks for.", "export interface RequestOptions {", OPTIONS),
    block("Whoever can be asked.", "export interface Requests {", [`  ${ASKS}`]),
    ...groups(asked, contract),
  ].join("\n");
}

function typeOf(schema: Schema): string {
  if (typeof schema === "boolean" || schema.$ref === undefined)
    throw new Error("what a method takes and gives has a name");
  return `protocol.${referred(schema.$ref)}`;
}

/** A class for each group of methods, and one that has them all. */
function groups(asked: readonly Method[], contract: Contract): string[] {
  const all = new Map<string, Method[]>();
  for (const method of asked) {
    const [group, name] = method.name.split("/");
    if (group === undefined || name === undefined) continue;
    const called = GROUPS[group] ?? group;
    all.set(called, [...(all.get(called) ?? []), method]);
  }
  const classes = [...all].map(([group, methods]) => {
    const written = methods.map(({ name, summary, ...method }) => {
      const params = typeOf(method["x-params"]);
      const schema = contract.components.schemas[referred(params.replace("protocol.", ""))];
      const optional = typeof schema === "object" && (schema.required ?? []).length === 0 && schema.oneOf === undefined;
      const takes = `params: ${params}${optional ? " = {}" : ""}, options?: RequestOptions`;
      const gives = `Promise<${typeOf(method.result.schema)}>`;
      const asks = `return this.#requests.request(${JSON.stringify(name)}, params, options);`;
      return `${comment([summary], "  ")}  ${name.split("/")[1]}(${takes}): ${gives} {\n    ${asks}\n  }\n`;
    });
    return [
      `/** \`${methods[0]?.name.split("/")[0]}/…\` */`,
      `export class ${className(group)} {`,
      "  readonly #requests: Requests;\n",
      "  constructor(requests: Requests) {\n    this.#requests = requests;\n  }\n",
      `${written.join("\n")}}\n`,
    ].join("\n");
  });
  const fields = [...all.keys()].map((group) => `  readonly ${group} = new ${className(group)}(this);\n`);
  return [
    ...classes,
    [
      `${comment(["The methods, group by group."], "")}export abstract class NamedMethods implements Requests {`,
      `${fields.join("")}`,
      `  abstract ${ASKS}}\n`,
    ].join("\n"),
  ];
}

function className(group: string): string {
  return `${group.charAt(0).toUpperCase()}${group.slice(1)}Methods`;
}

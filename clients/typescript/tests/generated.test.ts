/** The generated files are those that the contract gives. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { generated } from "../generator/main.js";
import { TypeWriter } from "../generator/types.js";

test("what follows from the contract is fresh", () => {
  const files = generated();
  assert.equal(files.size, 2);
  for (const [place, text] of files) {
    const path = fileURLToPath(place).replace("/build/", "/");
    assert.ok(readFileSync(path, "utf8") === text, `${path} is stale: run \`npm run generate\``);
  }
});

function written(schema: object, schemas: object = {}): string {
  return new TypeWriter(schemas as never).type(schema as never).replaceAll(/\s+/g, " ");
}

test("an object with forms is a union that its discriminant narrows", () => {
  const schema = {
    type: "object",
    properties: { kind: { enum: ["a", "b"] }, at: { type: "integer" }, title: { type: "string" } },
    required: ["kind", "title"],
    oneOf: [
      { properties: { kind: { const: "a" } }, required: ["at"] },
      { properties: { kind: { const: "b" }, at: false } },
    ],
  };
  const expected = `{ title: string; } & ( | { kind: "a"; at: number; } | { kind: "b"; at?: never; } )`;
  assert.equal(written(schema), expected);
});

test("conditions on a member become one form for each set of values with the same consequences", () => {
  const schema = {
    type: "object",
    properties: { state: { $ref: "#/State" }, end: { type: ["integer", "null"] } },
    required: ["state", "end"],
    allOf: [
      {
        if: { properties: { state: { enum: ["over"] } } },
        then: { properties: { end: { not: { type: "null" } } } },
        else: { properties: { end: { type: "null" } } },
      },
    ],
  };
  const state = { oneOf: [{ enum: ["early", "late"] }, { const: "over" }] };
  const expected = ` | { state: "early" | "late"; end: null; } | { state: "over"; end: number; }`;
  assert.equal(written(schema, { State: state }), expected);
});

test("what is there in one case only is never there in the other", () => {
  const schema = {
    type: "object",
    properties: { important: { type: "boolean" }, text: { type: "string" } },
    required: ["important"],
    if: { properties: { important: { const: true } } },
    then: { required: ["text"] },
    else: { not: { required: ["text"] } },
  };
  const expected = ` | { important: false; text?: never; } | { important: true; text: string; }`;
  assert.equal(written(schema), expected);
});

test("what the generator does not know is an error, not a guess", () => {
  assert.throws(() => written({ type: "decimal" }), /decimal/);
});

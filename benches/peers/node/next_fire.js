// Times `croner`. The first line read says what to do, and is answered by the fires; each line after it is one
// round, and is answered by the nanoseconds per call of each expression.
"use strict";

const { createInterface } = require("node:readline");
const { Cron } = require("croner");

let crons;
let instants;

function begin({ zone, expressions, instantsMs }) {
  crons = expressions.map((expression) => new Cron(expression, { timezone: zone, paused: true }));
  instants = instantsMs.map((ms) => new Date(ms));
  return crons.map((cron) => instants.map((instant) => cron.nextRun(instant)?.getTime() ?? null));
}

function round() {
  return crons.map((cron) => {
    const began = process.hrtime.bigint();
    for (const instant of instants) {
      cron.nextRun(instant);
    }
    return Number(process.hrtime.bigint() - began) / instants.length;
  });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const answer = crons === undefined ? begin(JSON.parse(line)) : round();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});

// Rings timers with `croner`. A line with `dueMs` sets a timer for each of these instants and is answered by `true`;
// when all have rung, a line says when each did. The line `"so far"` asks for that before.
"use strict";

const { createInterface } = require("node:readline");
const { Cron } = require("croner");

let rang;
let left = 0;

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

function tell() {
  left = 0;
  say(rang);
}

// `Date.now` has whole milliseconds.
const now = () => performance.timeOrigin + performance.now();

function set({ dueMs }) {
  rang = dueMs.map(() => null);
  left = dueMs.length;
  dueMs.forEach((ms, index) => {
    new Cron(new Date(ms), () => {
      rang[index] = now();
      left -= 1;
      if (left === 0) {
        tell();
      }
    });
  });
  say(true);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  if (asked !== "so far") {
    set(asked);
  } else if (left > 0) {
    tell();
  }
});

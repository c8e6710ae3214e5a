// Runs the input `script` with the part of @actions/core that the action's own scripts use.
"use strict";
const { appendFileSync } = require("node:fs");
const { randomUUID } = require("node:crypto");

const core = {
  setOutput(name, value) {
    const end = randomUUID();
    appendFileSync(process.env.GITHUB_OUTPUT, `${name}<<${end}\n${value}\n${end}\n`);
  },
  setSecret(value) {
    if (value) process.stdout.write(`::add-mask::${value}\n`);
  },
};

const AsyncFunction = (async () => {}).constructor;
new AsyncFunction("core", process.env.INPUT_SCRIPT)(core).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

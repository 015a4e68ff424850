// A program of a Pipit bundle in JavaScript, for Node.js 18: reads the call, gives values, asks, says how far it is. The same
// program runs once for each call, or is kept for many (`warm` in the manifest). Copy this file beside yours.
//
//     const { serve } = require("./pipit.js");
//     serve(function* (call) {
//       for (const name of call.args.NAME ?? [call.user]) yield { name, greeting: `hello, ${name}` };
//     });
"use strict";
const fs = require("node:fs");

// The call has failed; the message is shown to whoever asked.
class Abort extends Error {}
// A question was not answered: nobody can be asked, or nobody said anything, or it was cancelled.
class NoAnswer extends Error {}

// Lines of a descriptor, read as they are wanted.
function lines(descriptor) {
  let kept = Buffer.alloc(0);
  const chunk = Buffer.alloc(65536);
  return () => {
    for (;;) {
      const end = kept.indexOf(10);
      if (end >= 0) {
        const line = kept.subarray(0, end).toString();
        kept = kept.subarray(end + 1);
        return line;
      }
      const read = fs.readSync(descriptor, chunk);
      if (read === 0) {
        const last = kept.toString();
        kept = Buffer.alloc(0);
        return last === "" ? null : last;
      }
      kept = Buffer.concat([kept, chunk.subarray(0, read)]);
    }
  };
}

function write(descriptor, what) {
  let left = Buffer.from(JSON.stringify(what) + "\n");
  while (left.length > 0) left = left.subarray(fs.writeSync(descriptor, left));
}

// args, options, input (the incoming values), user, room, adapter, line, invocation; what was not given is not there.
class Call {
  #say;
  #hear;
  constructor(told, input, say, hear, emit) {
    const { args, options, user, room, adapter, line, invocation } = told;
    Object.assign(this, { args, options, input, user, room, adapter, line, invocation, emit });
    this.#say = say;
    this.#hear = hear;
  }
  // How far it is: from 0 to 1, or null.
  progress(part, text = "") {
    this.#say({ progress: part, text });
  }
  // A remark: debug, info, warn, error. The last two are shown to whoever typed the line.
  log(text, level = "info") {
    this.#say({ log: String(text), level });
  }
  // Shows the values by this template of the bundle.
  template(name) {
    this.#say({ template: name });
  }
  // Asks whoever typed the line, and waits for the answer.
  ask(question, oneOf) {
    this.#say(oneOf ? { ask: question, "one-of": oneOf } : { ask: question });
    const said = this.#hear();
    if (said.answer === undefined) throw new NoAnswer(said.error ?? "nobody answered");
    return said.answer;
  }
}

async function run(program, call) {
  for await (const value of (await program(call)) ?? []) call.emit(value);
}

function* values(next) {
  for (let line = next(); line !== null; line = next()) if (line.trim() !== "") yield JSON.parse(line);
}

async function one(program) {
  const told = JSON.parse(process.env.PIPIT_CALL);
  for (const name of ["user", "room", "adapter", "line", "invocation"]) {
    told[name] = process.env["PIPIT_" + name.toUpperCase()];
  }
  const control = Number(process.env.PIPIT_CONTROL);
  const heard = lines(control);
  const say = (what) => write(control, what);
  try {
    const hear = () => JSON.parse(heard() ?? "{}");
    await run(program, new Call(told, values(lines(0)), say, hear, (value) => write(1, value)));
  } catch (fault) {
    if (!(fault instanceof Abort || fault instanceof NoAnswer)) throw fault;
    say({ abort: fault.message });
    process.exitCode = 1;
  }
}

async function many(program) {
  // what the program prints is no frame
  console.log = console.info = console.error;
  const next = lines(0);
  for (let line = next(); line !== null; line = next()) {
    const told = JSON.parse(line);
    const say = (what) => write(1, { call: told.call, ...what });
    const hear = () => JSON.parse(next() ?? "{}");
    try {
      await run(program, new Call(told, (told.input ?? []).values(), say, hear, (value) => say({ value })));
      say({ end: true });
    } catch (fault) {
      say({ abort: fault instanceof Abort || fault instanceof NoAnswer ? fault.message : String(fault) });
    }
  }
}

// Runs a function for the call, or for one call after the other. What it returns or yields are values; `call.emit` gives one
// too. It may be async.
function serve(program) {
  return process.env.PIPIT_WARM === undefined ? one(program) : many(program);
}

module.exports = { serve, Call, Abort, NoAnswer };

#!/usr/bin/env node
// Greets everybody who is named in the call, else whoever typed it.
const call = JSON.parse(process.env.PIPIT_CALL);
for (const name of call.args.NAME ?? [process.env.PIPIT_USER]) {
  const greeting = `hello, ${name}`;
  // a value a line
  console.log(JSON.stringify({ name, greeting: call.options.loud ? greeting.toUpperCase() : greeting }));
}

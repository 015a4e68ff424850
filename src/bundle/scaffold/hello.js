#!/usr/bin/env node
// Greets everybody who is named in the call, else whoever typed it.
const { serve } = require("./pipit.js");

serve(function* (call) {
  for (const name of call.args.NAME ?? [call.user]) {
    const greeting = `hello, ${name}`;
    yield { name, greeting: call.options.loud ? greeting.toUpperCase() : greeting };
  }
});

#!/usr/bin/env ruby
# Greets everybody who is named in the call, else whoever typed it.
require "json"

call = JSON.parse(ENV.fetch("PIPIT_CALL"))
(call["args"]["NAME"] || [ENV.fetch("PIPIT_USER")]).each do |name|
  greeting = "hello, #{name}"
  greeting = greeting.upcase if call["options"]["loud"]
  # a value a line; flushed, so that it is shown at once
  puts JSON.generate({ "name" => name, "greeting" => greeting })
  $stdout.flush
end

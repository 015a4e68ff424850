#!/usr/bin/env ruby
# Greets everybody who is named in the call, else whoever typed it.
require_relative "pipit"

Pipit.serve do |call|
  (call.args["NAME"] || [call.user]).each do |name|
    greeting = "hello, #{name}"
    call.emit("name" => name, "greeting" => call.options["loud"] ? greeting.upcase : greeting)
  end
end

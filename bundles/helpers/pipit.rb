# A program of a Pipit bundle in Ruby: reads the call, gives values, asks, says how far it is. The same program runs once for
# each call, or is kept for many (`warm` in the manifest). Copy this file beside yours; it needs Ruby 2.7.
#
#     require_relative "pipit"
#     Pipit.serve do |call|
#       (call.args["NAME"] || [call.user]).each { |name| call.emit("name" => name, "greeting" => "hello, #{name}") }
#     end
require "json"

module Pipit
  # The call has failed; the message is shown to whoever asked.
  class Abort < StandardError; end
  # A question was not answered: nobody can be asked, or nobody said anything, or it was cancelled.
  class NoAnswer < StandardError; end

  # One call: args and options by name (what was not given is not there), input (the incoming values), user, room, adapter,
  # line, invocation.
  class Call
    attr_reader :args, :options, :input, :user, :room, :adapter, :line, :invocation

    def initialize(told, input, say, hear, give)
      @args, @options, @input = told["args"], told["options"], input
      @user, @room, @adapter = told["user"], told["room"], told["adapter"]
      @line, @invocation = told["line"], told["invocation"]
      @say, @hear, @give = say, hear, give
    end

    # Gives a value.
    def emit(value)
      @give.call(value)
    end

    # How far it is: from 0 to 1, or nil.
    def progress(part, text = "")
      @say.call({ "progress" => part, "text" => text })
    end

    # A remark: debug, info, warn, error. The last two are shown to whoever typed the line.
    def log(text, level = "info")
      @say.call({ "log" => text.to_s, "level" => level })
    end

    # Shows the values by this template of the bundle.
    def template(name)
      @say.call({ "template" => name })
    end

    # Asks whoever typed the line, and waits for the answer.
    def ask(question, one_of = nil)
      @say.call(one_of ? { "ask" => question, "one-of" => one_of } : { "ask" => question })
      said = @hear.call
      raise NoAnswer, said.fetch("error", "nobody answered") unless said.key?("answer")

      said["answer"]
    end
  end

  # Runs a block for the call, or for one call after the other.
  def self.serve(&program)
    ENV.key?("PIPIT_WARM") ? many(program) : one(program)
  end

  def self.one(program)
    told = JSON.parse(ENV.fetch("PIPIT_CALL"))
    %w[user room adapter line invocation].each { |name| told[name] = ENV.fetch("PIPIT_#{name.upcase}") }
    control = nil
    open = -> { control ||= IO.for_fd(ENV.fetch("PIPIT_CONTROL").to_i, "r+").tap { |io| io.sync = true } }
    say = ->(what) { open.call.write(JSON.generate(what) + "\n") }
    hear = -> { JSON.parse(open.call.gets || "{}") }
    input = Enumerator.new { |values| $stdin.each_line { |line| values << JSON.parse(line) unless line.strip.empty? } }
    $stdout.sync = true
    program.call(Call.new(told, input, say, hear, ->(value) { $stdout.write(JSON.generate(value) + "\n") }))
  rescue Abort, NoAnswer => e
    say.call({ "abort" => e.message })
    exit 1
  end

  def self.many(program)
    # what the program prints is no frame
    frames = $stdout.dup
    frames.sync = true
    $stdout.reopen($stderr)
    $stdin.each_line do |line|
      told = JSON.parse(line)
      say = ->(what) { frames.write(JSON.generate({ "call" => told["call"] }.merge(what)) + "\n") }
      hear = -> { JSON.parse($stdin.gets || "{}") }
      begin
        program.call(Call.new(told, told.fetch("input", []).each, say, hear, ->(value) { say.call({ "value" => value }) }))
        say.call({ "end" => true })
      rescue Abort, NoAnswer => e
        say.call({ "abort" => e.message })
      rescue StandardError => e
        say.call({ "abort" => "#{e.class}: #{e.message}" })
      end
    end
  end

  private_class_method :one, :many
end

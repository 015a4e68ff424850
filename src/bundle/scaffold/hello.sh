#!/bin/sh
# Greets everybody who is named in the call, else whoever typed it.
. "$PIPIT_ROOT/pipit.sh"
hello() {
    { pipit_get args.NAME | grep . || pipit_get user; } | while IFS= read -r name; do
        greeting="hello, $name"
        [ -z "$(pipit_get options.loud)" ] || greeting=$(printf '%s' "$greeting" | tr '[:lower:]' '[:upper:]')
        pipit_emit name "$name" greeting "$greeting"
    done
}
pipit_serve hello

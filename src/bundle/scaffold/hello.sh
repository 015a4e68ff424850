#!/bin/sh
# Greets everybody who is named. The call is JSON in PIPIT_CALL; a value that goes into the output as JSON has to be
# written as JSON, which is what this function does for texts.
json() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'; }

# a parameter comes as an argument when `run` in the manifest says so; here all of the call is read
names=$(printf '%s' "$PIPIT_CALL" | sed -n 's/.*"NAME":\[\([^]]*\)\].*/\1/p' | tr ',' '\n' | sed 's/^"//; s/"$//')
[ -n "$names" ] || names=$PIPIT_USER
case "$PIPIT_CALL" in *'"loud":true'*) loud=1 ;; *) loud= ;; esac
printf '%s\n' "$names" | while IFS= read -r name; do
    greeting="hello, $name"
    [ -z "$loud" ] || greeting=$(printf '%s' "$greeting" | tr '[:lower:]' '[:upper:]')
    printf '{"name":%s,"greeting":%s}\n' "$(json "$name")" "$(json "$greeting")"
done

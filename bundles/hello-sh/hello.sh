#!/bin/sh
# the parameter comes as the first argument, or not at all; what is printed is the value
printf 'hello, %s\n' "${1:-$PIPIT_USER}"

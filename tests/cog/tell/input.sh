#!/bin/sh
printf '%s: %s\n' "${COG_INVOCATION_STEP:-between}" "$(cat)"

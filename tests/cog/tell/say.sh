#!/bin/sh
case "$COG_ARGV_0" in
  lines) printf 'one\n  two\n\n' ;;
  nothing) echo 'COGCMD_INFO: nobody hears this' ;;
  json) printf 'COGCMD_DEBUG: soon\nJSON\n[{"name": "ada", "age": 36}, {"name": "grace"}]\n' ;;
  broken) printf 'JSON\n{"name": \n' ;;
  stray) printf 'starting\nJSON\n{"name": "ada"}\ndone\n' ;;
  template) printf 'COG_TEMPLATE: greet\nJSON\n{"name": "ada"}\n' ;;
  no-template) printf 'COG_TEMPLATE: nowhere\nhello\n' ;;
  abort) printf 'COGCMD_ACTION: abort\nno such host: %s\n' "$COG_ARGV_1" ;;
  fail) echo 'half of it'; echo 'the server is away' >&2; exit 3 ;;
  grumble) echo 'careful' >&2; echo done ;;
  secret) echo "it is $TELL_TOKEN in $REGION" ;;
  id) echo "$COG_PIPELINE_ID $COG_INVOCATION_ID" ;;
esac

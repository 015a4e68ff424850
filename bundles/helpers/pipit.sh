# A program of a Pipit bundle in shell: reads the call, gives values, asks, says how far it is. The same program runs once for
# each call, or is kept for many (`warm` in the manifest). Copy this file beside yours; it needs a POSIX shell and awk.
#
#     . "$PIPIT_ROOT/pipit.sh"
#     hello() { pipit_emit greeting "hello, $(pipit_get args.NAME)"; }
#     pipit_serve hello

# pipit_get PATH: what the call says, such as args.NAME, options.loud, user, room, invocation; several values one a line, in
# which a newline is a blank. Nothing when it was not given.
pipit_get() { printf '%s\n' "$pipit_told" | pipit_find "$1"; }

# pipit_input [FIELD]: the incoming values, or a field of each, one a line.
pipit_input() {
    if [ -n "${PIPIT_WARM-}" ]; then pipit_get "input.0${1:+.$1}"; return; fi
    while IFS= read -r pipit_value || [ -n "$pipit_value" ]; do
        printf '%s\n' "{\"value\":$pipit_value}" | pipit_find "value${1:+.$1}"
    done <&5
}

# pipit_emit KEY VALUE…: gives a record of texts.
pipit_emit() { pipit_give "$(pipit_record "$@")"; }

# pipit_give JSON: gives any value.
pipit_give() {
    if [ -n "${PIPIT_WARM-}" ]; then printf '{"call":%s,"value":%s}\n' "$pipit_call" "$1"; else printf '%s\n' "$1"; fi >&4
}

# pipit_progress PART TEXT: how far it is, from 0 to 1, or null.
pipit_progress() { pipit_say "{\"progress\":$1,$(pipit_record text "${2-}" | cut -c 2-)"; }

# pipit_log TEXT [LEVEL]: a remark: debug, info, warn, error.
pipit_log() { pipit_say "$(pipit_record log "$1" level "${2:-info}")"; }

# pipit_template NAME: shows the values by this template of the bundle.
pipit_template() { pipit_say "$(pipit_record template "$1")"; }

# pipit_ask QUESTION: asks whoever typed the line, and prints the answer; fails when there is none.
pipit_ask() {
    pipit_say "$(pipit_record ask "$1")"
    if [ -n "${PIPIT_WARM-}" ]; then IFS= read -r pipit_said <&5; else IFS= read -r pipit_said <&3; fi
    case $pipit_said in *'"answer":'*) printf '%s\n' "$pipit_said" | pipit_find answer ;; *) return 1 ;; esac
}

# pipit_abort TEXT: the call has failed; the text is shown to whoever asked.
pipit_abort() {
    pipit_say "$(pipit_record abort "$1")"
    exit 117
}

# pipit_serve FUNCTION: runs a function for the call, or for one call after the other.
pipit_serve() {
    exec 4>&1 5<&0 </dev/null
    if [ -z "${PIPIT_WARM-}" ]; then
        pipit_told=$(pipit_record user "$PIPIT_USER" room "$PIPIT_ROOM" adapter "$PIPIT_ADAPTER" line "$PIPIT_LINE" \
            invocation "$PIPIT_INVOCATION" | sed 's/}$/,/')${PIPIT_CALL#?}
        "$1"
        return
    fi
    # what the program prints is no frame
    exec >&2
    while IFS= read -r pipit_told <&5; do
        pipit_call=$(pipit_get call)
        ("$1")
        case $? in
            0) printf '{"call":%s,"end":true}\n' "$pipit_call" >&4 ;;
            117) ;;
            *) pipit_say '{"abort":"the program failed"}' ;;
        esac
    done
}

pipit_say() {
    if [ -n "${PIPIT_WARM-}" ]; then printf '{"call":%s,%s\n' "$pipit_call" "${1#?}" >&4; else printf '%s\n' "$1" >&3; fi
}

# A record of texts as JSON.
pipit_record() {
    awk 'BEGIN {
        for (n = 1; n < 32; n++) code[sprintf("%c", n)] = sprintf("\\u%04x", n)
        code["\""] = "\\\""; code["\\"] = "\\\\"
        for (n = 1; n < ARGC; n++) out = out (n == 1 ? "" : n % 2 ? "," : ":") text(ARGV[n])
        print "{" out "}"
    }
    function text(plain,   at, c, out) {
        for (at = 1; at <= length(plain); at++) { c = substr(plain, at, 1); out = out (c in code ? code[c] : c) }
        return "\"" out "\""
    }' "$@"
}

# The texts at a path of the JSON on standard input, one a line.
pipit_find() {
    awk -v want="$1" '
    { json = json (NR > 1 ? "\n" : "") $0 }
    END { at = 1; value("") }
    function blanks() { while (substr(json, at, 1) ~ /^[ \t\r\n]$/) at++ }
    function value(path,   c, n, from) {
        blanks(); c = substr(json, at, 1); from = at
        if (c == "{" || c == "[") {
            at++; blanks()
            for (n = 0; at <= length(json) && substr(json, at, 1) !~ /^[]}]$/; n++) {
                key = n
                if (c == "{") { key = text(); blanks(); at++ }
                value(path == "" ? key : path "." key); blanks()
                if (substr(json, at, 1) == ",") { at++; blanks() }
            }
            at++
            if (path == want && c == "{") print substr(json, from, at - from)
        } else if (c == "\"") leaf(path, text())
        else { while (substr(json, at, 1) ~ /^[-+.0-9a-zA-Z]$/) at++; if (at == from) exit 1; leaf(path, substr(json, from, at - from)) }
    }
    function leaf(path, found) {
        if (path != want && (index(path, want ".") != 1 || substr(path, length(want) + 2) !~ /^[0-9]+$/)) return
        gsub(/\n/, " ", found); print found
    }
    function text(   c, out) {
        for (at++; (c = substr(json, at, 1)) != "\""; at++) {
            if (c == "") exit 1
            if (c == "\\") {
                c = substr(json, ++at, 1)
                if (c == "u") { c = sprintf("%c", hex(substr(json, at + 3, 1)) * 16 + hex(substr(json, at + 4, 1))); at += 4 }
                else if (c == "n") c = "\n"; else if (c == "t") c = "\t"; else if (c == "r") c = "\r"
                else if (c == "b") c = "\b"; else if (c == "f") c = "\f"
            }
            out = out c
        }
        at++
        return out
    }
    function hex(digit) { return index("0123456789abcdef", tolower(digit)) - 1 }'
}

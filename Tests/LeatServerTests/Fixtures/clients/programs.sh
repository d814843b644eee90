#!/usr/bin/env bash
# Real programs, unmodified, against a running server: programs.sh SCRATCH NAME…
# Ports come from the environment: LEAT_HTTP, LEAT_SYSLOG_TCP, LEAT_SYSLOG_UDP, LEAT_FORWARD. Prints `NAME: N of N` for all
# that was sent, and `delivered: PROGRAM` for each program of which every event was found exactly once.
set -euo pipefail
scratch=$1
shift
count=500

# The numbers behind a word, one a line, each as often as it is stored.
found() {
    curl -sS "http://127.0.0.1:$LEAT_HTTP/api/v1/repositories/default/query" -H 'Accept: application/x-ndjson' \
        -d "{\"start\":\"all\",\"queryString\":\"\\\"$1\\\" | regex(\\\"$1 (?<seq>[0-9]+)\\\") | select(seq)\"}" |
        sed -n 's/.*"seq":"\([0-9]*\)".*/\1/p' | sort -n
}

expect() {
    local word=$1 wanted
    wanted=$(seq 1 "${2:-$count}")
    for _ in $(seq 1 300); do
        [ "$(found "$word")" = "$wanted" ] && break
        sleep 0.1
    done
    echo "$word: $(found "$word" | wc -l) of ${2:-$count}"
    diff <(echo "$wanted") <(found "$word") | head -5
}

logger() {
    seq 1 $count | sed 's/^/logger-tcp /' | command logger -n 127.0.0.1 -P "$LEAT_SYSLOG_TCP" -T --octet-count -t app
    seq 1 $count | sed 's/^/logger-line /' | command logger -n 127.0.0.1 -P "$LEAT_SYSLOG_TCP" -T --rfc3164 -t app
    seq 1 100 | sed 's/^/logger-udp /' | command logger -n 127.0.0.1 -P "$LEAT_SYSLOG_UDP" -d -t app
    expect logger-tcp
    expect logger-line
    expect logger-udp 100
}

# Fluent Bit with the output that FLUENT_BIT_OUTPUT names, and its properties.
fluent_bit() {
    local output properties=() port=$LEAT_HTTP
    read -ra words <<< "$FLUENT_BIT_OUTPUT"
    output=${words[0]}
    for property in "${words[@]:1}"; do properties+=(-p "$property"); done
    [ "$output" = forward ] && port=$LEAT_FORWARD
    [ "$output" = syslog ] && port=$LEAT_SYSLOG_TCP
    seq 1 $count | sed 's/.*/{"message":"fluent-bit &","n":&}/' > "$scratch/in.log"
    printf '[PARSER]\n    Name plain\n    Format json\n' > "$scratch/parsers.conf"
    fluent-bit -q -f 0.2 -R "$scratch/parsers.conf" -i tail -p "path=$scratch/in.log" -p read_from_head=true \
        -p parser=plain -p exit_on_eof=true -o "$output" -p host=127.0.0.1 -p "port=$port" "${properties[@]}" -m '*' \
        > "$scratch/out" 2>&1 || cat "$scratch/out"
    expect fluent-bit
}

rsyslog() {
    seq 1 $count | sed 's/^/<13>Nov 14 22:13:20 host app: rsyslog-line /' > "$scratch/rsyslog.in"
    cat > "$scratch/rsyslog.conf" <<CONF
global(workDirectory="$scratch")
module(load="imfile")
module(load="omelasticsearch")
input(type="imfile" file="$scratch/rsyslog.in" tag="t" readMode="0")
template(name="doc" type="list" option.jsonf="on") {
    property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
}
action(type="omelasticsearch" server="127.0.0.1" serverport="$LEAT_HTTP" template="doc" searchIndex="rsyslog" bulkmode="on"
    errorFile="$scratch/rsyslog.errors")
CONF
    rsyslogd -n -f "$scratch/rsyslog.conf" -i "$scratch/rsyslog.pid" > "$scratch/rsyslog.out" 2>&1 &
    local id=$!
    expect rsyslog-line || { cat "$scratch/rsyslog.out"; false; }
    kill $id
    wait $id || true
}

journald() {
    local remote=/lib/systemd/systemd-journal-remote upload=/lib/systemd/systemd-journal-upload
    for i in $(seq 1 $count); do
        printf '__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\nMESSAGE=journal-entry %d\nPRIORITY=6\n\n' \
            $((1700000000000000 + i)) $((1000000 + i)) 1 "$i"
    done > "$scratch/journal.export"
    $remote --output="$scratch/part.journal" "$scratch/journal.export" 2> "$scratch/journal.out" ||
        { cat "$scratch/journal.out"; return 1; }
    # Twice, without the state in between: what is sent again is stored once.
    for state in a b; do
        $upload --url="http://127.0.0.1:$LEAT_HTTP" --file="$scratch/part.journal" --save-state="$scratch/state.$state" --follow=false \
            > "$scratch/upload.out" 2>&1 || { cat "$scratch/upload.out"; return 1; }
    done
    expect journal-entry
}

for name in "$@"; do
    "$name"
    echo "delivered: $name"
done

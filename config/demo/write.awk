# Turns application lines into the lines of a container's log file, as the container runtime writes them.
#
#   awk -v format=cri|docker -v stream=stdout -v epoch=SECONDS -v first=N -v ids=FILE -f write.awk FILE…
#
# Every event gets a number from `first` on, which goes into the text as `demo_id`, and to `ids`. A line that continues
# an event (a frame of a stack trace) gets none. Lines longer than 16 KiB are split into parts, as runtimes do.

BEGIN { partBytes = 16384; number = first; count = 0 }

function escaped(text) {
    gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); gsub(/\t/, "\\t", text)
    return text
}

function stamp() {
    return strftime("%Y-%m-%dT%H:%M:%S", epoch, 1) sprintf(".%09dZ", ++count * 1000)
}

function emit(text, isLast) {
    if (format == "docker")
        printf "{\"log\":\"%s%s\",\"stream\":\"%s\",\"time\":\"%s\"}\n", escaped(text), isLast ? "\\n" : "", stream, stamp()
    else
        printf "%s %s %s %s\n", stamp(), stream, isLast ? "F" : "P", text
}

{
    text = $0
    sub(/\r$/, "", text)
    if (text == "") next
    if (!(joins && text ~ /^([ \t]|Caused by: )/)) {
        id = "d-" number++
        print id >> ids
        if (text ~ /^\{"/) text = "{\"demo_id\":\"" id "\"," substr(text, 2)
        else text = text " demo_id=" id
    }
    while (length(text) > partBytes) {
        emit(substr(text, 1, partBytes), 0)
        text = substr(text, partBytes + 1)
    }
    emit(text, 1)
}

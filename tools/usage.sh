# Read by the other scripts, before they go to another folder.
usage_of="$(cd "$(dirname "$0")" && pwd)/$(basename "$0")"

# usage [CODE]: print the comment that a script begins with and leave.
usage() {
    sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p; }' "$usage_of" >&2
    exit "${1:-2}"
}

# Answer --help, wherever it stands, and too few arguments.
# usage_unless LEAST ARGUMENTS...
usage_unless() {
    local least="$1" word
    shift
    for word in "$@"; do
        case "$word" in -h|--help) usage 0 2>&1 ;; esac
    done
    [ $# -ge "$least" ] || usage
}

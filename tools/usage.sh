# Read by the other scripts, before they go to another folder.
case "$0" in
    /*) usage_of="$0" ;;
    *) usage_of="$PWD/$0" ;;
esac

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

# SPDX-License-Identifier: MIT
# What `graphgate.fcgi --help` prints, as a part of its manual page: in two columns, an option and what it does.
function troff(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); return text }
match($0, /^  --[a-z-]+(, --[a-z-]+)?( [A-Z][^ ]*)? +/) {
    option = substr($0, 3, RLENGTH - 2)
    sub(/ +$/, "", option)
    printf ".TP\n.B %s\n%s\n", troff(option), troff(substr($0, RLENGTH + 1))
    next
}
option != "" && sub(/^   +/, "") { print troff($0) }

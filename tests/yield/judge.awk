# SPDX-License-Identifier: MIT
#
# Compares a bine-race report with what a program of the corpus says about itself.
#
#   awk -v mode=default|predicted -f judge.awk program.c report
#
# The program names the kinds of finding that fit ("KIND: A B") and marks lines ("SITE looked wrote").  Prints one
# word: "sites" if a finding of such a kind names a marked line for each marked site, each in its place; "seen" if
# there is such a finding but its sites are not those; "missed" otherwise.
#
# A finding begins with "bine-race: KIND: ..." and ends before an empty line or the next one.  A line of two spaces
# and a text that ends in ":" begins a section, and each "    #N function file:line" is a frame of it.  In findings
# with four sites the sections come in the order of the sites.

BEGIN { split("looked gave-up wrote acted", order); sites = 4 }

# ---- The program ----
FNR == NR {
    if (match($0, /KIND: [A-Z -]+/)) {
        n = split(substr($0, RSTART + 6, RLENGTH - 6), words)
        for (i = 1; i <= n; i++)
            fits[(mode == "predicted" ? "PREDICTED-" : "") words[i]] = 1
    }
    if (match($0, /SITE [a-z -]+/)) {
        n = split(substr($0, RSTART + 5, RLENGTH - 5), words)
        for (i = 1; i <= n; i++)
            if (words[i] ~ /^(looked|gave-up|wrote|acted)$/) {
                marked[words[i]] = 1
                line[words[i], FNR] = 1
            }
    }
    if (FNR == 1) {
        n = split(FILENAME, words, "/")
        program = words[n]
    }
    next
}

# ---- The report ----
# note <section> <"path:line", perhaps more>: that the section names the line
function note(section, where,   i, n, words, place) {
    n = split(where, words, "/")
    split(words[n], place, ":")
    sub(/[^0-9].*/, "", place[2])
    if (place[1] == program)
        for (i = 1; i <= sites; i++)
            if ((order[i] SUBSEP place[2]) in line)
                named[section, order[i]] = 1
}
# all <in order>: each marked site is named; in its own section, or in any
function all(in_order,   i, section, found) {
    for (i = 1; i <= sites; i++)
        if (order[i] in marked) {
            found = 0
            for (section = 0; section <= sections; section++)
                if ((section SUBSEP order[i]) in named && (!in_order || section == i))
                    found = 1
            if (!found)
                return 0
        }
    return 1
}
function finish() {
    if (kind in fits) {
        best = best > 1 ? best : 1
        if (all(kind ~ /(STALE-CHECK|LOST-UPDATE|CLOBBERED|TORN-GROUP|ABA)/))
            best = 2
    }
    kind = ""
}
/^bine-race: [A-Z][A-Z-]+:/ {
    finish()
    if (substr($2, 1, length($2) - 1) != last || last !~ /STUCK|DEADLOCK/) { # these may come in several parts
        sections = 0
        split("", named)
    }
    last = kind = substr($2, 1, length($2) - 1)
    for (f = 3; f <= NF; f++) # where the sites stand in the sentence itself
        note(0, $f)
    next
}
/^$/ { finish() }
kind != "" && /^  [^ ].*:$/ { sections++; next }
kind != "" && /^ +#[0-9]+ / { note(sections, $NF) }
END {
    finish()
    print best == 2 ? "sites" : best == 1 ? "seen" : "missed"
}

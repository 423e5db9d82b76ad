# SPDX-License-Identifier: MIT
#
# Makes RESULTS.md's tables: medians of what run.sh recorded, put into the rows of the file `rows`.
#
#   awk -v figures=<file> -v reasons=<file> -f report.awk rows

function trim(s) { gsub(/^ +| +$/, "", s); return s }

# Three digits, as many as the measurement is good for.
function show(x) { return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x) }

function median(key,    n, i, j, t, v) {
    n = count[key]
    for (i = 1; i <= n; i++) v[i] = value[key, i] + 0
    for (i = 2; i <= n; i++) {
        t = v[i]
        for (j = i - 1; j >= 1 && v[j] > t; j--) v[j + 1] = v[j]
        v[j + 1] = t
    }
    least[key] = v[1]; most[key] = v[n]
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

# The least of several keys' medians; -1: none was measured.
function figure(keys,    n, i, k, best) {
    n = split(keys, k, ","); best = -1
    for (i = 1; i <= n; i++)
        if (count[k[i]] && (best < 0 || middle[k[i]] < best)) best = middle[k[i]]
    return best
}

BEGIN {
    while ((getline line < figures) > 0) {
        split(line, f, "\t")
        if (!count[f[1]]++) order[++keys] = f[1]
        value[f[1], count[f[1]]] = f[2]; unit_of[f[1]] = f[3]
    }
    for (i = 1; i <= keys; i++) middle[order[i]] = median(order[i])
    while ((getline line < reasons) > 0)
        if (match(line, /^[^#:]+:/)) reason[substr(line, 1, RLENGTH - 1)] = trim(substr(line, RLENGTH + 1))
    print "| work | bine | peers | bine / peer | bar | |"
    print "|---|---|---|---|---|---|"
}

/^#/ || NF == 0 { next }

{
    if (index($0, "{C}") == 0) { row($0); next }
    nc = split("2 1000", cs, " "); nd = split("0 1 2 4 8 16", ds, " ")
    for (c = 1; c <= nc; c++)
        for (d = 1; d <= nd; d++) {
            line = $0
            gsub(/\{C\}/, cs[c], line); gsub(/\{D\}/, ds[d], line)
            row(line)
        }
}

function row(line,    part, own, peer, kv, n, i, bars, b, ratio, text_peers, text_ratios, text_bars, verdict, met, bound, strict) {
    split(line, part, ";")
    for (i = 1; i <= 6; i++) part[i] = trim(part[i])
    own = figure(part[4])
    if (own < 0) return
    n = split(part[5], peer, " ")
    for (i = 1; i <= n; i++) {
        split(peer[i], kv, "="); p = kv[1]; gsub(/_/, " ", p)
        at[kv[1]] = figure(kv[2])
        if (at[kv[1]] < 0) continue
        text_peers = text_peers (text_peers ? ", " : "") p " " show(at[kv[1]])
    }
    n = split(part[6], bars, " "); verdict = n ? "met" : ""
    for (i = 1; i <= n; i++) {
        split(bars[i], b, ":"); strict = sub(/^</, "", b[2]); p = b[1]; gsub(/_/, " ", p)
        if (b[1] == "limit") {
            text_bars = text_bars (text_bars ? ", " : "") "≤ " b[2]
            met = own < b[2] + 0.005
        } else {
            if (at[b[1]] <= 0) { verdict = "not measured"; continue }
            ratio = own / at[b[1]]
            text_ratios = text_ratios (text_ratios ? ", " : "") sprintf("%.3f %s", ratio, p)
            text_bars = text_bars (text_bars ? ", " : "") (strict ? "< " : "≤ ") b[2] " " p
            met = strict ? ratio < b[2] + 0 : ratio <= b[2] + 0
        }
        if (!met && verdict != "not measured") verdict = "**missed**"
    }
    if (verdict == "**missed**") missed[++misses] = part[1] "\t" part[2]
    printf "| %s | %s %s | %s | %s | %s | %s |\n", part[2], show(own), part[3], text_peers, text_ratios, text_bars, verdict
}

END {
    if (misses) {
        print "\nMissed:\n"
        for (i = 1; i <= misses; i++) {
            split(missed[i], m, "\t")
            print "- " m[2] (m[1] in reason ? ": " reason[m[1]] : ".")
        }
    }
    print "\nHow each work is measured stands at the head of its program in `tests/bench/bine` and `tests/bench/peers`.  Times are CPU"
    print "times, user and system, of one process on one processor; the client that loads a server runs on the other.  An echo"
    print "request's peer is the better of a level-triggered and an edge-triggered bare loop; asyncio and uvloop echo by a"
    print "protocol, asyncio's streams by a task a connection.  Memory is Rss + VmPTE."
    print "\n## Every figure: median (least to most of the rounds)\n"
    print "```"
    for (i = 1; i <= keys; i++) {
        k = order[i]
        printf "%-36s %12.3f %-10s (%.3f to %.3f)\n", k, middle[k], unit_of[k], least[k], most[k]
    }
    print "```"
}

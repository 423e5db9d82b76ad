# SPDX-License-Identifier: MIT
#
# Draws what RESULTS.md says, as SVG.
#
#   awk -v kind=bars -f plot.awk RESULTS.md      a group of bars for each row of the table, each group to its own scale
#   awk -v kind=growth -f plot.awk RESULTS.md    a curve for each program, where a figure was taken at several sizes
#
# The growth is read from the list of every figure: "work/program/size.what  value unit", or "...depth-tasks-depth".
# Both axes of a curve are logarithmic: a straight level line is a cost that does not grow.

function trim(s) { gsub(/^ +| +$/, "", s); return s }
function text(x, y, size, anchor, s,    t) {
    t = s
    gsub(/&/, "\\&amp;", t); gsub(/</, "\\&lt;", t); gsub(/>/, "\\&gt;", t); gsub(/`/, "", t)
    body = body sprintf("<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\">%s</text>\n", x, y, size, anchor, t)
}
function box(x, y, w, h, fill) {
    body = body sprintf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, w, h, fill)
}
function line(x, y, x2, y2, stroke) {
    body = body sprintf("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x, y, x2, y2, stroke)
}
function show(x) { return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x) }
function finish(width, height) {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" ", width, height, width, height
    print "font-family=\"sans-serif\" fill=\"#222\">"
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n%s</svg>\n", width, height, body
}

# ---- Bars ----

kind == "bars" && /^\| / {
    split($0, cell, "|")
    n = split(trim(cell[4]), peer, ", ")
    if (trim(cell[2]) == "work" || n == 0) next
    split(trim(cell[3]), own, " ")
    name[1] = "bine"; size[1] = own[1] + 0; most = size[1]
    for (i = 1; i <= n; i++) {
        at = match(peer[i], / [0-9.]+$/)
        name[i + 1] = substr(peer[i], 1, at - 1); size[i + 1] = substr(peer[i], at + 1) + 0
        if (size[i + 1] > most) most = size[i + 1]
    }
    text(10, top += 26, 13, "start", trim(cell[2]) " (" own[2] ")")
    for (i = 1; i <= n + 1; i++) {
        top += 15
        text(190, top, 11, "end", name[i])
        box(196, top - 9, most ? 480 * size[i] / most : 0, 11, i == 1 ? "#2b7a3d" : "#a9b4bd")
        text(200 + (most ? 480 * size[i] / most : 0), top, 11, "start", show(size[i]))
    }
}

# ---- Growth ----

function number(s,    factor) {
    factor = s ~ /k$/ ? 1000 : s ~ /M$/ ? 1000000 : 1
    return (s + 0) * factor
}
kind == "growth" && /^[a-z]+\/[^ ]+ +[0-9.]+ [^ ]+ / {
    split($1, part, "/")
    if (match(part[3], /^[0-9]+[kM]?\./)) {
        x = number(substr(part[3], 1, RLENGTH - 1)); figure = part[1] ": " substr(part[3], RLENGTH + 1); by = "how many"
    } else if (match(part[3], /depth-[0-9]+-/)) {
        x = 1 + substr(part[3], RSTART + RLENGTH); figure = part[1] ", " substr(part[3], RSTART + 6, RLENGTH - 7) " contexts"
        by = "frames deep, and 1"
    } else next
    if ($3 == "%" || $3 ~ /\//) next
    if (!(figure in axis)) { figures[++figure_count] = figure; axis[figure] = by; unit[figure] = $3 }
    if (!((figure, part[2]) in programs)) { programs[figure, part[2]] = 1; list[figure, ++of[figure]] = part[2] }
    if (!((figure, part[2], x) in value)) points[figure, part[2], ++count[figure, part[2]]] = x
    value[figure, part[2], x] = $2
}
function log_place(v, low, high, from, to) { return from + (to - from) * (log(v) - log(low)) / (log(high) - log(low)) }
function panel(figure, left, up,    i, j, p, x, y, lowx, highx, lowy, highy, path, px, py, colour, title) {
    lowx = lowy = 1e300; highx = highy = 0
    for (i = 1; i <= of[figure]; i++) {
        p = list[figure, i]
        for (j = 1; j <= count[figure, p]; j++) {
            x = points[figure, p, j]; y = value[figure, p, x]
            if (x < lowx) lowx = x
            if (x > highx) highx = x
            if (y < lowy) lowy = y
            if (y > highy) highy = y
        }
    }
    lowy /= 1.5; highy *= 1.5
    split(figure, title, ": ")
    text(left + 10, up + 18, 13, "start", (title[1] == title[2] ? title[1] : figure) " (" unit[figure] ")")
    line(left + 60, up + 200, left + 300, up + 200, "#888"); line(left + 60, up + 30, left + 60, up + 200, "#888")
    text(left + 60, up + 214, 10, "middle", lowx); text(left + 300, up + 214, 10, "middle", highx)
    text(left + 180, up + 214, 10, "middle", axis[figure])
    text(left + 56, up + 200, 10, "end", show(lowy)); text(left + 56, up + 38, 10, "end", show(highy))
    for (i = 1; i <= of[figure]; i++) {
        p = list[figure, i]; path = ""
        if (count[figure, p] < 2) continue
        colour = p == "bine" || p == "native" ? "#2b7a3d" : shade[(i - 1) % 6 + 1]
        for (j = 1; j <= count[figure, p]; j++) {
            x = points[figure, p, j]; y = value[figure, p, x]
            px = log_place(x, lowx, highx, left + 60, left + 300); py = log_place(y, lowy, highy, up + 200, up + 30)
            path = path sprintf("%.1f,%.1f ", px, py)
            body = body sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n", px, py, colour)
        }
        body = body sprintf("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, colour)
        for (j = 1; j < i; j++) # a label beside its end, below those that stand there
            if (label[j] > py - 11 && label[j] < py + 11) { py = label[j] + 12; j = 0 }
        label[i] = py
        text(px + 6, py + 4, 11, "start\" fill=\"" colour, p)
    }
    split("", label)
}

END {
    if (kind == "bars") { finish(740, top + 20); exit }
    split("#3566a8 #b3541e #7a4fa3 #a08a1a #4a8f94 #999999", shade, " ")
    for (i = 1; i <= figure_count; i++) {
        several = 0
        for (j = 1; j <= of[figures[i]]; j++) several += count[figures[i], list[figures[i], j]] > 1
        if (!several) continue
        panel(figures[i], shown % 2 * 400, int(shown / 2) * 235)
        shown++
    }
    finish(800, int((shown + 1) / 2) * 235 + 10)
}

# SPDX-License-Identifier: MIT
#
# Draws how cost grows, from the list of every figure in RESULTS.md, as the file `curves` says.
#
#   awk -v curves=<file> -f svg.awk -f growth.awk RESULTS.md
#
# A panel for each line of `curves` that has a curve of two points at least.  Both axes are logarithmic, so that a level
# line is a cost that does not grow; frames count from 0, and stand at the logarithm of one more.

BEGIN {
    LEFT = 62; RIGHT = 362; UP = 44; DOWN = 244; WIDTH = 530; HEIGHT = 292 # a panel, and the curves' frame in it
    LABEL_STEP = 12; HEAD = 30
    text(LEFT, 20, 11, "start", "How cost grows. Both axes are logarithmic; lower is better.", "fill=\"#555\"")
    shades = split("#3566a8 #b3541e #7a4fa3 #a08a1a #4a8f94 #c2457a #777777 #5b7fd4 #8a5a2b", shade, " ")
}

# "work/program/10k.what   12.3 ns"
/^[a-z0-9]+\/[^ ]+ +[0-9.]+ [^ ]+ / { value[$1] = $2 }

function number(s) { return s * (s ~ /k$/ ? 1000 : s ~ /M$/ ? 1000000 : 1) }
function short(x) { return x >= 1000000 ? x / 1000000 "M" : x >= 1000 ? x / 1000 "k" : x "" }
function place(v, low, high, from, to) {
    return high > low ? from + (to - from) * (log(v) - log(low)) / (log(high) - log(low)) : from
}

# The points of a series into x[] and y[], in order; of several figures at one place the least counts.
function collect(keys, x, y,    k, n, i, j, size, key, count, at, fixed) {
    n = split(keys, k, ",")
    for (i = 1; i <= n; i++)
        for (j = 1; j <= sizes; j++) {
            key = k[i]
            fixed = sub(/^[0-9]+:/, "", key) ? k[i] + 0 : ""
            sub(/\*/, size_name[j], key)
            if (!(key in value) || value[key] <= 0) continue
            size = fixed == "" ? number(size_name[j]) + offset : fixed
            for (at = 1; at <= count && x[at] != size; at++) ;
            if (at > count) { x[++count] = size; y[count] = value[key] }
            else if (value[key] < y[at]) y[at] = value[key]
        }
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && x[j - 1] > x[j]; j--) {
            at = x[j]; x[j] = x[j - 1]; x[j - 1] = at
            at = y[j]; y[j] = y[j - 1]; y[j - 1] = at
        }
    return count
}

# Round figures from low to high: the fewest kinds of them that make three lines.
function grid(low, high,    kinds, kind, k, n, e, m, list, v, lines, i) {
    kinds = split("1|1 3|1 2 5|1 1.5 2 3 4 5 6 7 8 9", kind, "|")
    for (k = 1; k <= kinds && lines < 3; k++) {
        n = split(kind[k], m, " "); lines = 0; list = ""
        for (e = -3; e <= 10; e++)
            for (i = 1; i <= n; i++) {
                v = m[i] * 10 ^ e
                if (v >= low && v <= high) { list = list v " "; lines++ }
            }
    }
    return list
}
function tick(v) { return v >= 1000000 ? v / 1000000 " M" : v >= 10000 ? v / 1000 " k" : v "" }

function panel(line_of_curves, left, up,    part, series, n, i, j, kv, x, y, xs, ys, count, lowx, highx, lowy, highy, names, at, px,
    py, points, end, order, m, t, ticks, places) {
    split(line_of_curves, part, ";")
    for (i = 1; i <= 5; i++) part[i] = trim(part[i])
    offset = part[3] ~ /^frames/
    n = split(part[5], series, " ")
    lowx = lowy = 1e300; highx = highy = 0
    for (i = 1; i <= n; i++) {
        at = index(series[i], "=")
        names[i] = substr(series[i], 1, at - 1); gsub(/_/, " ", names[i])
        split("", x); split("", y)
        count[i] = collect(substr(series[i], at + 1), x, y)
        if (count[i] < 2) continue
        m++
        for (j = 1; j <= count[i]; j++) {
            xs[i, j] = x[j]; ys[i, j] = y[j]; places[x[j]] = 1
            if (x[j] < lowx) lowx = x[j]
            if (x[j] > highx) highx = x[j]
            if (y[j] < lowy) lowy = y[j]
            if (y[j] > highy) highy = y[j]
        }
    }
    if (!m) return 0
    lowy /= 1.25; highy *= 1.25
    text(left + LEFT, up + 22, 13, "start", part[2], "font-weight=\"bold\"")
    text(left + LEFT, up + 38, 11, "start", part[4], "fill=\"#555\"")
    m = split(grid(lowy, highy), ticks, " ")
    for (i = 1; i <= m; i++) {
        py = up + place(ticks[i], lowy, highy, DOWN, UP)
        line(left + LEFT, py, left + RIGHT, py, "#e3e6e8")
        text(left + LEFT - 6, py + 4, 10, "end", tick(ticks[i]))
    }
    for (i = 1; i <= sizes; i++) {
        t = number(size_name[i]) + offset
        if (!(t in places)) continue
        delete places[t] # 1000 is 1k too
        px = left + place(t, lowx, highx, LEFT, RIGHT)
        line(px, up + DOWN, px, up + DOWN + 4, "#888")
        text(px, up + DOWN + 16, 10, "middle", short(t - offset))
    }
    line(left + LEFT, up + DOWN, left + RIGHT, up + DOWN, "#888")
    line(left + LEFT, up + UP, left + LEFT, up + DOWN, "#888")
    text(left + (LEFT + RIGHT) / 2, up + DOWN + 32, 11, "middle", part[3], "fill=\"#555\"")
    m = 0
    for (i = n; i >= 1; i--) { # bine, the first, on top
        if (count[i] < 2) continue
        points = ""
        for (j = 1; j <= count[i]; j++) {
            px = left + place(xs[i, j], lowx, highx, LEFT, RIGHT); py = up + place(ys[i, j], lowy, highy, DOWN, UP)
            points = points sprintf("%.1f,%.1f ", px, py)
            dot(px, py, i == 1 ? 3.5 : 2.5, colour(i, names[i]))
        }
        path(points, colour(i, names[i]), i == 1 ? 3 : 1.7)
        order[++m] = i; end[i] = py; stop[i] = px
    }
    legend(left, up, m, order, end, names)
    return 1
}
# The same for a program in all panels; what follows a comma in its name is a remark.
function colour(i, name) {
    sub(/,.*/, "", name)
    if (i > 1 && !(name in colour_of)) colour_of[name] = shade[coloured++ % shades + 1]
    return i == 1 ? "#2b7a3d" : colour_of[name]
}

# Names stand at the right, by the height of the curves' ends, as far apart as they need to be; a thin line leads from
# each to its end.
function legend(left, up, m, order, end, names,    i, j, t, at, low, lines) {
    for (i = 2; i <= m; i++)
        for (j = i; j > 1 && end[order[j - 1]] > end[order[j]]; j--) { t = order[j]; order[j] = order[j - 1]; order[j - 1] = t }
    for (i = 1; i <= m; i++) at[i] = i > 1 && end[order[i]] < at[i - 1] + LABEL_STEP ? at[i - 1] + LABEL_STEP : end[order[i]]
    low = up + DOWN + 4
    for (i = m; i >= 1; i--) { # back up, if the last has left the frame
        if (at[i] > low) at[i] = low
        low = at[i] - LABEL_STEP
    }
    for (i = 1; i <= m; i++) {
        t = order[i]
        line(stop[t] + 5, end[t], left + RIGHT + 20, at[i], colour(t, names[t]) "\" stroke-opacity=\"0.45")
        text(left + RIGHT + 24, at[i] + 4, 11, "start", names[t], "fill=\"" colour(t, names[t]) "\"" (t == 1 ? " font-weight=\"bold\"" : ""))
    }
}

END {
    sizes = split("0 1 2 3 4 8 10 16 100 1000 1k 10k 100k 1M", size_name, " ")
    while ((getline entry < curves) > 0) {
        if (entry ~ /^#/ || entry == "") continue
        if (panel(entry, shown % 2 * WIDTH, HEAD + int(shown / 2) * HEIGHT)) shown++
    }
    finish(2 * WIDTH, HEAD + int((shown + 1) / 2) * HEIGHT + 10)
}

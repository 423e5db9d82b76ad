# SPDX-License-Identifier: MIT
#
# Draws the table of RESULTS.md: a group of bars for each row, each group to its own scale.
#
#   awk -f svg.awk -f bars.awk RESULTS.md
#
# The scale ends at CUT times bine's figure: a longer bar is cut off, and marked so, lest a peer that takes a thousand
# times as long leave nothing to be seen of the others.

BEGIN {
    LABEL = 250; WIDTH = 480; CUT = 25; OWN = "#2b7a3d"; PEER = "#a9b4bd"
    text(10, top = 20, 11, "start", "Each work to its own scale; shorter is better. A bar with a gap is longer than " CUT \
        " of bine's.", "fill=\"#555\"")
    top += 4
}

/^\| / {
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
    if (size[1] > 0 && most > CUT * size[1]) most = CUT * size[1]
    text(10, top += 26, 13, "start", trim(cell[2]) " (" own[2] ")")
    for (i = 1; i <= n + 1; i++) {
        top += 15
        cut = size[i] > most
        width = most ? WIDTH * (cut ? most : size[i]) / most : 0
        text(LABEL, top, 11, "end", name[i])
        box(LABEL + 6, top - 9, width, 11, i == 1 ? OWN : PEER)
        if (cut) path(sprintf("%.1f,%.1f %.1f,%.1f", LABEL + WIDTH - 10, top + 4, LABEL + WIDTH - 4, top - 11), "#fff", 3)
        text(LABEL + 10 + width, top, 11, "start", show(size[i]))
    }
}

END { finish(800, top + 20) }

# SPDX-License-Identifier: MIT
#
# The table of compare.sh, as text to standard output and as SVG to the file named by -v svg=.  A row is:
#   1 program 2 style 3 lines 4 marks | sound: 5 real 6 found 7 unmarked | changed: 8 9 10
#   | sound: 11 race 12 schedules 13 failed | changed: 14 15 16 | 17 operations/s 18 median 19 99th percentile

{ for (i = 1; i <= NF; i++) cell[NR, i] = $i; rows = NR }

function row(label, field,    r) {
    lines++
    labels[lines] = label
    for (r = 1; r <= rows; r++) value[lines, r] = cell[r, field]
}
function title(text) { lines++; labels[lines] = text; isTitle[lines] = 1 }
function group(text) { lines++; labels[lines] = text; isTitle[lines] = 2 }

END {
    title("the source")
    row("lines of code", 3)
    row("yield points marked (bine_await)", 4)
    row("yield points there are (bine-yields)", 5)
    row("of these, not marked", 7)
    title("the checkers, as it stands")
    row("bine-yields check: errors", 6)
    row("bine-race, one run: findings", 11)
    row("bine-explore: schedules (+: all)", 12)
    row("bine-explore: violations", 13)
    title("the checkers, after the innocent change")
    row("bine-yields check: errors", 9)
    row("bine-race, one run: findings", 14)
    row("bine-explore: schedules (+: all)", 15)
    row("bine-explore: violations", 16)
    title("20 clients, the same load")
    row("operations per second", 17)
    row("median, us", 18)
    row("99th percentile, us", 19)

    printf "%-38s", ""
    for (r = 1; r <= rows; r += 2) printf "  %-20s", cell[r, 1]
    printf "\n%-38s", ""
    for (r = 1; r <= rows; r++) printf "  %9s", cell[r, 2]
    printf "\n"
    for (l = 1; l <= lines; l++) {
        if (isTitle[l]) { printf "%s\n", labels[l]; continue }
        printf "  %-36s", labels[l]
        for (r = 1; r <= rows; r++) printf "  %9s", value[l, r]
        printf "\n"
    }
    picture()
}

function put(x, y, text, rest) {
    printf "<text x=\"%d\" y=\"%d\"%s>%s</text>\n", x, y, rest, text > svg
}
function picture(    l, r, y, left, wide, height, x, worst, other, w) {
    left = 290; wide = 96; height = 60 + 22 * lines
    x = left + wide * rows + 20
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\"", x, height > svg
    printf " viewBox=\"0 0 %d %d\"", x, height > svg
    print " font-family=\"sans-serif\" font-size=\"13\">" > svg
    print "<title>gevent's style and asyncio's, side by side</title>" > svg
    printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n" > svg
    for (r = 1; r <= rows; r++) {
        x = left + wide * (r - 1)
        if (r % 2) {
            printf "<rect x=\"%d\" y=\"6\" width=\"%d\" height=\"%d\" fill=\"#f4f6f8\"/>\n",
                x, 2 * wide - 8, height - 12 > svg
            put(x + wide - 4, 24, cell[r, 1], " text-anchor=\"middle\" font-weight=\"bold\"")
        }
        put(x + wide - 16, 44, cell[r, 2], " text-anchor=\"end\" fill=\"" (r % 2 ? "#2b6f6a" : "#8a4b08") "\"")
    }
    for (l = 1; l <= lines; l++) {
        y = 44 + 22 * l
        if (isTitle[l]) { put(10, y, labels[l], " font-weight=\"bold\""); continue }
        put(20, y, labels[l], "")
        for (r = 1; r <= rows; r++) {
            x = left + wide * (r - 1)
            # A bar beneath each number, by the largest of its program.
            worst = value[l, r] + 0
            other = value[l, r % 2 ? r + 1 : r - 1] + 0
            if (other > worst) worst = other
            w = worst > 0 ? (wide - 24) * (value[l, r] + 0) / worst : 0
            printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"4\" fill=\"%s\"/>\n", x + 8, y + 3, w,
                r % 2 ? "#7fb8b3" : "#e0b37c" > svg
            put(x + wide - 16, y, value[l, r], " text-anchor=\"end\"")
        }
    }
    print "</svg>" > svg
    close(svg)
}
